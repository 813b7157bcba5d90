import POSIX
import TopicAllocation
import TopicLedger

extension Command {
  /// `topic-alloc`.
  public static var topicAlloc: Command {
    Command(
      "topic-alloc", "create the next numbered directory, atomically",
      Syntax(
        .one(.directory("ROOT")), .several(.text("NAME")),
        options: [
          OptionGroup("Output", [.allocationFormat, .lockTimes]),
          OptionGroup("Numbers", [.reuse, .number, .dryRun]),
          OptionGroup("Beyond one directory", [.scope, .rescan]),
          OptionGroup("Lock and disk", [.rootLockTimeout, .durable]),
          OptionGroup("Naming", Style.namingOptions + [Style.startOption]),
        ],
        text: """
          Takes the next free number under ROOT and creates a directory with this number and the
          NAME, as one atomic step: ten callers at once get ten numbers. Prints JSON.

          ROOT and its parents are created if they are missing. Each NAME becomes a slug: "OAuth 2.0
          login" becomes `oauth_20_login`. Several NAMEs get consecutive numbers in the order given,
          under one lock. The NAME `-` reads names from standard input, one per line.

          The next number is one more than the highest in use, so gaps are not filled. An entry of
          ROOT has a number if its name begins with 3 to 7 digits and the separator, whatever kind of
          file it is; `--width` changes the least number of digits. Numbers are decimal: `010` is ten.
          After 999 comes 1000. Eight digits and more are dates and do not count; the highest number
          is 9999999.

          Options stand anywhere before `--`; everything after it is ROOT or NAME. `--format path`,
          `--format=path` and `-fpath` mean the same, and `-rf path` joins two options. If an option is
          given twice, the last one counts.
          """,
        examples: """
          topic-alloc ./specs "OAuth 2.0 login"

          # Create a topic, or find the one that an earlier call created.
          topic=$(topic-alloc --reuse --format path ./specs billing) && cd "$topic"

          # Set shell variables, such as REPORTS_DIR.
          vars=$(topic-alloc --reuse --format shell ./specs billing) && eval "$vars"

          # Number all lines of a file consecutively.
          topic-alloc --format pipe ./specs - <names.txt

          # Start an architecture decision record: 0001-use-flock-for-numbering.md
          topic-alloc --style adr doc/adr "Use flock for numbering"

          # Do not wait for the lock.
          topic-alloc --timeout 0 ./specs billing || [ $? -ne 75 ] || echo "busy" >&2
          """),
      pages: [.formats, .names, .scopes, .guarantees, .environment, .exitStatusOfAllocation]
    ) { arguments throws(Failure) in
      let root = arguments.operands[0]
      if root.isEmpty {
        throw .emptyString("ROOT")
      }
      let style = try Style(arguments)
      let request = try AllocationRequest(
        root: Path(root), slugs: Slug.ofNames(arguments.operands.dropFirst(), style.slugRule),
        style: style, arguments)
      let scope = try Scope.inForce(arguments, for: request.root)
      try request.perform(
        Tool("topic-alloc"), in: scope, projectOf: Location.project(ofRoot:))
    }
  }
}
