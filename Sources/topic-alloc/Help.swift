let help = """
  Usage: topic-alloc [option]... ROOT NAME...

  Takes the next free number under ROOT and creates the directory, as one atomic
  step: ten callers at once get ten numbers. Prints JSON. ROOT is created when
  missing. Of each NAME a slug is made: "OAuth 2.0 login" becomes oauth_20_login.
  Several NAMEs get consecutive numbers; '-' reads NAMEs from standard input, a
  line each.

  Output:
    -f, --format FORMAT   json (default), jsonl, pipe (042|/path), path, number,
                          or shell (assignments for eval)
    -v, --verbose         say on standard error how long the lock was waited for
                          and held, and from when to when (monotonic clock)
  Numbers:
    -r, --reuse           when a topic of exactly that name exists, return it and
                          create nothing (with -n: only if it has that number)
    -n, --number N        take exactly N, or fail and name its owner
        --dry-run         print what would be allocated now, create nothing
  Beyond one directory:
        --scope SCOPE         among whom the number is unique: root (default, all who
                              share ROOT), worktrees (of this repository), remote or
                              remote=NAME (all clones that push there; default:
                              origin). Also: $TOPIC_ALLOC_SCOPE, else
                              git config topic-alloc.scope
        --rescan              look at all work trees and branches for numbers in use,
                              as the first call with a scope does
  Lock and disk:
    -w, --timeout SECS    give up when the lock is not free after SECS seconds
                          (default 30; fractions allowed; 0: do not wait); a git
                          command has five seconds all the same
        --durable         have the new entries on disk before they are reported
  Naming:
        --style STYLE     topic (default: 042_name), spec-kit (042-name), or
                          adr (0042-name.md, an empty file)
        --width N         pad numbers to N digits, 1 to 7
        --separator C     put C between number and name
        --start N         number an empty ROOT from N
        --suffix EXT      create empty files NAME.EXT in place of directories

    -h, --help            print this
        --version         print the version

  Examples:
    topic-alloc ./specs "OAuth 2.0 login"
    topic-alloc --format path ./specs billing search | xargs ls -ld
    vars=$(topic-alloc --format shell --reuse ./specs billing) && eval "$vars"
    topic-alloc --style adr doc/adr "Use flock for numbering"

  Exit status: 0 done, 64 usage, 65 data, 69 no locks, git or remote, or unknown scope,
  73 cannot create, 74 input or output, 75 lock not free in time, 77 permission denied,
  128+n ended by signal n.

  """
