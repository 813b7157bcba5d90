let help = """
  Usage: topic-stress [option]...

  Has many processes allocate at once, again and again, records what each of them did
  and when, and judges the history and the root: no number twice, no gap, nothing lost,
  real-time order, nothing locked, nobody hung. Prints the collision rate, throughput
  and latencies. Exit code 0 only when every assertion holds.

    -n, --iterations N    how often (default 100); 'unlimited' or 'unbounded': until
                          --minutes are over, or Ctrl-C
    -p, --processes N     so many at once, from a barrier (default 10)
    -m, --minutes M       stop after M minutes (fractions allowed)
        --root DIR        number in DIR, which keeps what is made there (default: a
                          fresh root in a temporary directory)
        --judge-every N   judge, and begin a fresh root, every N iterations
                          (default 100)
    -w, --timeout SECS    a process that takes longer hangs (default 60)

  What is tested:
    -a, --allocator CMD   any program that prints a number, a path or JSON, with {root}
                          and {name} where they go (default: topic-alloc)
        --mix CMD         another one beside it in the same root; may be repeated

        --workload W          numbers (default), or claims: the processes claim and finish
                              the tasks of a plan with 'topic plan', once; each task has
                              to be done once, in order, by who holds it. Takes --tasks,
                              --processes, --seed, --timeout, --run-dir, --format, and
                              --chaos with kill, pause, lockfile (default: all) or none
        --tasks N             of claims: so many tasks (default 1000)

  Numbers beyond one root:
        --scope SCOPE     worktrees or remote: the processes number in many work trees or
                          clones, and no number may be there twice in all of them;
                          what was acknowledged must be in the ledger, gaps are legal
        --clones N        so many work trees or clones (default 8)
        --serve           the remote is served by git daemon on 127.0.0.1; without it,
                          it is a bare repository by path

  What is done to it:
    -c, --chaos KIND,...  kill          SIGKILL at a random moment
                          syscall-kill  SIGKILL at every system call in turn (strace)
                          pause         SIGSTOP while it holds the lock, then SIGCONT
                          lockfile      the lock file is deleted
                          foreign       a bystander makes, renames and removes numbered
                                        directories, never the highest
                          full          a small disk runs full (mounts a tmpfs)
                          nofile        few descriptors
                          daemon        git daemon is killed and started again (--serve)
                          slow          each way to the remote takes 10 to 99 ms more
                          A scope takes kill, syscall-kill, daemon and slow only
    -s, --seed N          the same chaos again, as far as scheduling allows

  What is left:
    -d, --run-dir DIR     a directory for each run, and metrics.jsonl (default:
                          $XDG_STATE_HOME/topic-stress, ~/.local/state/topic-stress)
    -r, --resume RUN      go on with a run that broke off: its id or its directory
        --report FILE     copy the report to FILE, which needs nothing but a browser
    -f, --format FORMAT   text (default) or json
        --fail-below R    fail when the throughput, as a share of the processes that
                          can be started, is below R of the median of the last ten runs
        --summary         run nothing; sum up metrics.jsonl

    -h, --help            print this
        --version         print the version

  Examples:
    topic-stress
    topic-stress --chaos kill,lockfile --minutes 5
    topic-stress --allocator './number.sh {root} {name}'
    topic-stress --scope remote --serve --processes 40 --iterations 20 --chaos daemon
    topic-stress --mix 'stress/allocators/locked.sh {root} {name}' --iterations 50

  Exit codes: 0 every assertion holds, 1 one does not, 64 usage, 65 data, 69 strace is
  missing, 73 cannot create, 74 input or output, 77 permission denied, 128+n ended by
  signal n.

  """
