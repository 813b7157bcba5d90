/// A page of HTML that loads nothing.
///
/// - Parameters:
///   - title: As plain text.
///   - style: Rules of CSS, a line each.
///   - body: As HTML.
public func htmlPage(title: String, style: String, body: String) -> String {
  """
  <!DOCTYPE html>
  <html lang="en">
  <head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width">
  <title>\(title.escapedForHTML)</title>
  <style>
  \(style)
  </style>
  </head>
  <body>
  \(body)
  </body>
  </html>

  """
}

extension String {
  /// As text, or the value of an attribute, of an HTML page.
  public var escapedForHTML: String {
    var result = ""
    for character in unicodeScalars {
      switch character {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(character)
      }
    }
    return result
  }
}
