/// The explanations that several commands share.
extension Page {
  /// What `topic-alloc` and `topic locate` print.
  public static let formats = Page(
    "formats", "what is printed, in which format",
    text: """
      `topic-alloc` and `topic locate` print a topic in one of these formats:

      * `json`: An object, indented by two spaces, as below (default).
      * `jsonl`: The same object on one line.
      * `pipe`: Number and path, such as `042|/abs/specs/042_oauth_20`.
      * `path`: The path alone.
      * `number`: The number alone, as the name of the entry spells it.
      * `shell`: Assignments, one per line, quoted so that `eval` in any POSIX shell is safe:
        TOPIC_NUMBER, TOPIC_NAME, TOPIC_PATH, PROJECT_ROOT, SPECS_DIR and, unless topics are files,
        REPORTS_DIR, PLANS_DIR, SUMMARIES_DIR, DEBUG_DIR, SCRIPTS_DIR and OUTPUTS_DIR.

      The keys of the object always stand in this order:

          {
            "topic_number": "042",
            "topic_name": "oauth_20",
            "topic_path": "/abs/specs/042_oauth_20",
            "project_root": "/abs",
            "specs_dir": "/abs/specs",
            "artifact_paths": {
              "reports": "/abs/specs/042_oauth_20/reports",
              "plans": "/abs/specs/042_oauth_20/plans",
              "summaries": "/abs/specs/042_oauth_20/summaries",
              "debug": "/abs/specs/042_oauth_20/debug",
              "scripts": "/abs/specs/042_oauth_20/scripts",
              "outputs": "/abs/specs/042_oauth_20/outputs"
            }
          }

      None of the artifact directories exists yet. Where topics are files, there is no
      `artifact_paths`. Several topics are one object after another.

      Only what is on disk is printed. Paths are absolute, with symbolic links resolved.
      Paths are bytes and may hold any. If a format cannot carry one, that is an error before
      anything is created: JSON takes UTF-8 only, and in the formats `pipe` and `path`, the paths of
      several topics cannot have a newline.

      On a terminal, control characters and bidirectional marks in names, plans, logs and the output
      of steps are escaped. In a pipe or a file they stay as they are. What the command of `topic
      try` prints always passes through unchanged.
      """)

  /// How a name becomes a slug.
  public static let names = Page(
    "names", "how a NAME becomes the name of an entry",
    text: """
      Each NAME or DESCRIPTION becomes a slug. `topic slug` prints the slug of a text.

          NAME                      topic                  spec-kit, adr
          OAuth 2.0 login           oauth_20_login         oauth-2-0-login
          Research: Auth (2025)!    research_auth_2025     research-auth-2025
          real-time                 realtime               real-time

      Letters with an obvious ASCII base become that base (é becomes e, ß becomes ss), and letters
      become lower case. In the style `topic`, white space becomes `_`, and everything else except
      a-z, 0-9 and `_` is dropped. In the styles `spec-kit` and `adr`, every run of other characters
      becomes `-`.

      Runs of `_` or `-` become one, neither stands at either end, and the slug is cut to 50
      characters. A slug never holds a slash, a dot or a control character, and never begins with
      `-`. A NAME that leaves no slug is an error, before anything is created.
      """)

  /// Numbers that are unique beyond one directory.
  public static let scopes = Page(
    "scopes", "numbers that are unique in all work trees or clones",
    text: """
      The scope says where a number is unique:

      * `root`: Among all who share the directory (default).
      * `worktrees`: In all work trees of the repository that holds ROOT.
      * `remote`: In all clones that push to the remote `origin`.
      * `remote=NAME`: In all clones that push to the remote NAME.

      The option `--scope` sets it, or else `$TOPIC_ALLOC_SCOPE`, or else the key
      `topic-alloc.scope` in git's configuration:

          git config topic-alloc.scope worktrees

      If it is unknown whether that key is set, nothing is numbered and the exit status is 69: the
      configuration cannot be read, `.git` leads to a repository that is missing, or git refuses a
      repository of another owner (safe.directory) whose files mention the key. `--scope root` and
      `TOPIC_ALLOC_SCOPE=root` number without asking git.

      # The ledger

      Beyond `root`, a call reserves its number before it creates the directory: as a commit on the
      ref `refs/topic-alloc/ROOT` of the repository, or of the remote. git moves the ref only for a
      caller that knows its last commit; the loser fetches and retries. `git log` on the ref shows
      who reserved what, where and when. `refs/topic-alloc-remotes` keeps what was last seen of a
      remote. Index, branches and HEAD are not touched, and no hook runs.

      The first reservation of a clone in a root looks at the same root in all other work trees,
      local branches and remote-tracking branches for numbers in use. `--rescan` repeats that.

      If a crash or an error prevents the directory, its number stays reserved: a gap, which is
      legal in these scopes. An error names it.

      git never prompts: what needs a password or consent to a host key fails. `--timeout` bounds the
      wait for others and for the remote; a single git command has at least five seconds. With
      `--durable`, git has the reservation on disk (core.fsync) before the entries are created; on a
      remote, the server decides.
      """)

  /// What the locks guarantee, and what a crash leaves.
  public static let guarantees = Page(
    "guarantees", "what the locks guarantee, and what a crash leaves",
    text: """
      However many callers there are at once, each gets a number of its own. Two locks are held from
      before the highest number is read until the new entry exists. Both are exclusive locks of
      flock(2), taken in this order and released in the opposite one:

      - `ROOT/.topic_number.lock`, a file that is created if it is missing. Bash libraries that number
        topics lock this file and no other, so they can run beside `topic-alloc`.
      - ROOT itself. This lock survives the deletion of the lock file, so users of `topic-alloc`
        exclude each other even then.

      If ROOT is renamed or replaced while a call waits for its lock, the call starts over in the
      directory that now has the path.

      `topic locate` and `topic artifact` with a NAME take the same locks, the latter in the
      directory TOPIC/KIND, which has a lock file of its own. `topic verify` waits up to five
      seconds for both locks and creates no lock file. Other commands that read topics take no lock;
      they show what was there while they read.

      # After a crash

      The kernel releases both locks when the process is gone, however it ended. What remains is the
      entry with the next number, or none; of several NAMEs, the first ones may exist. There is
      nothing to repair.

      If SIGHUP, SIGINT, SIGQUIT or SIGTERM arrives before the last entry exists, the call removes
      the entries that it created, and ends. An entry that somebody has already put something into
      stays, and a message names it. A signal that arrives later ends the process once the result
      is printed, or while the reader makes it wait.

      # The lock file

      The lock file is never deleted. It is empty and stays empty: it may be committed, copied and
      merged. Its extended attribute `user.topic-alloc` records the highest number. The record counts
      only while ROOT is in exactly the state that it describes, and only if no other user can have
      written it: the lock file must belong to the user or to the owner of ROOT, and must not be
      writable by others. It may be group-writable only if ROOT is, too, and has the same group.
      Without a valid record, ROOT is read. A lock file that holds exactly the record of version 0.1
      is emptied.

      A new lock file gets the read and write permissions of ROOT, and its group. A symbolic link, a
      FIFO or anything else in its place is an error.

      # Files

      Logs, ledgers, metrics, checkpoints, states and locks are regular files. If a symbolic link, a
      FIFO, a device or a directory is in their place, the command fails and does not write through
      it. A file that is replaced never gains permissions. In a group-writable set-group-ID
      directory, everything that is created is group-writable, whatever the umask. Plans, and files
      given to an option as input, may be pipes or symbolic links, and up to 64 MiB long.

      # What is not protected

      A program that creates numbered entries without taking a lock can take the same number at the
      same time. `topic verify` finds such duplicates.

      If somebody deletes the lock file while it is held or waited for, a bash library that locks
      the new file does not exclude those who still have the old one, until the last of them is
      done.

      On NFS, the lock of a directory stays on its client, if it is granted at all, so among clients
      only the lock file protects. If the server grants no locks, `topic-alloc` fails. If the mount
      keeps locks local (see nfs(5)), other machines are not excluded.

      Entries of another style do not count as numbered. Two styles in one ROOT number
      independently, but share one numbering in a scope beyond it.
      """)

  /// Which variables count, and how the project and the root are detected.
  public static let environment = Page(
    "environment", "environment variables; how project and ROOT are detected",
    text: """
      A variable that is empty counts as unset.

      * `CLAUDE_PROJECT_DIR`: The project, instead of the detected one.
      * `CLAUDE_SPECS_ROOT`: The ROOT, if a command of `topic` is given none. `topic-alloc` does not
        read it, because its ROOT is an argument.
      * `TOPIC_ALLOC_SCOPE`: The scope, if `--scope` is not given.
      * `TOPIC_PRICES`: The file with prices, if `--prices` is not given.
      * `TMPDIR`: The directory in which `topic try` keeps standard input and the output of an
        attempt, and `topic gate -v` the output of a step. If it is unset, or no file can be created
        there, they use `/tmp`.

      # How the project is detected

      The project is `$CLAUDE_PROJECT_DIR`, or else the git work tree that holds the current
      directory (linked work trees and submodules, too), or else the current directory.

      `topic-alloc` names a project in the formats `json`, `jsonl` and `shell`. There it is
      `$CLAUDE_PROJECT_DIR`, or else the work tree that holds ROOT, or else the parent of ROOT, or the
      parent of that if it is called `.claude`.

      # How the ROOT is detected

      The ROOT is `$CLAUDE_SPECS_ROOT`, or else PROJECT/.claude/specs if it is a directory, or else
      PROJECT/specs if it is one, or else PROJECT/.claude/specs, which `topic locate` then creates.
      A dangling symbolic link in one of these places is an error, and so is a place that cannot be
      looked at: the ROOT may be there, but not mounted.
      """)

  /// What each exit status of `topic` means.
  public static let exitStatus = Page(
    "exit-status", "what each exit status means", text: exitStatuses(statuses))

  /// What each exit status of `topic-alloc` means.
  static let exitStatusOfAllocation = Page(
    "exit-status", "what each exit status means",
    text: exitStatuses(statuses.filter { !["1", "2", "10", "66"].contains($0.status) }))

  private static func exitStatuses(_ list: [(status: String, meaning: String)]) -> String {
    list.map { "* `\($0.status)`: \($0.meaning)\n" }.joined() + """

      Results go to standard output, messages and warnings to standard error. If the lock was not
      free in time, the message names its holder, if that is known. If one of several NAMEs fails,
      what exists is printed and the message names the rest. If the result cannot be printed, the
      message names what was created.
      """
  }

  private static let statuses = [
    ("0", "Done."),
    (
      "1",
      """
      The answer is no: `verify` found a violation, `find` found nothing, a step of `gate` failed,
      there is no checkpoint to `load`, or there is no task to `claim` now.
      """
    ),
    ("2", "All tasks of the plan are done."),
    ("10", "A limit is reached: stop."),
    ("64", "Wrong usage."),
    (
      "65",
      """
      Bad data. No slug is left, a number is out of range, the format cannot carry a path, or a
      document is damaged or over 64 MiB.
      """
    ),
    ("66", "An input or operand does not exist, such as a ROOT, TOPIC, RUN or PLAN."),
    (
      "69",
      """
      A service is unavailable. The file system grants no locks, git or the remote cannot be
      reached, or it is unknown whether a scope is set.
      """
    ),
    (
      "73",
      """
      Cannot create. Something of that name exists, the number is taken, the file system is
      read-only or full, part of the path is not a directory, or what is there is not a regular
      file.
      """
    ),
    ("74", "Input or output failed."),
    ("75", "The lock was not free in time, or no model answered in time. Try again."),
    ("77", "Permission denied, or another worker holds the task."),
    (
      "128+N",
      """
      Ended by signal N, as the shell reports it. Process 1 of a container exits with this status
      itself. No topic is left behind; a ROOT that was created, and its lock file, stay.
      """
    ),
  ].map { (status: $0.0, meaning: $0.1) }
}
