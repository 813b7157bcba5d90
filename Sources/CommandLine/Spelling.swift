/// The one of `known` that `word` was probably meant to be: the only one that begins with it, else
/// the nearest one; nil when none is near.
public func nearest(to word: String, in known: [String]) -> String? {
  let longer = known.filter { $0.hasPrefix(word) }
  if longer.count == 1, word.contains(where: \.isLetter) { return longer[0] }
  let distances = known.map { (word: $0, distance: editDistance(word, $0)) }
  guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
  return best.distance <= max(1, best.word.count / 3) ? best.word : nil
}

/// How many characters have to be inserted, removed, replaced or swapped with their neighbour to
/// turn one text into the other (optimal string alignment). Words over 64 characters are far from
/// everything.
private func editDistance(_ left: String, _ right: String) -> Int {
  let left = Array(left.unicodeScalars.prefix(65))
  let right = Array(right.unicodeScalars.prefix(65))
  if left.count > 64 || right.count > 64 { return 64 }
  // distance[i][j]: from the first i characters of the one to the first j of the other.
  var distance = (0...left.count).map { i in (0...right.count).map { j in i == 0 ? j : i } }
  for i in 0..<left.count {
    for j in 0..<right.count {
      let replaced = distance[i][j] + (left[i] == right[j] ? 0 : 1)
      distance[i + 1][j + 1] = min(replaced, distance[i][j + 1] + 1, distance[i + 1][j] + 1)
      if i > 0, j > 0, left[i] == right[j - 1], left[i - 1] == right[j] {
        distance[i + 1][j + 1] = min(distance[i + 1][j + 1], distance[i - 1][j - 1] + 1)
      }
    }
  }
  return distance[left.count][right.count]
}
