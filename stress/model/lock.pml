/*
 * A Promela model of the lock protocol of RootLock.swift, beside that of the bash libraries
 *
 * spin searches it exhaustively, in the configurations of check.sh.
 *
 * The model follows allocators/locked.sh and the Swift sources:
 *
 *   New   mkdir -p ROOT, open ROOT, open the lock file or else create it with O_EXCL (two calls),
 *         flock the lock file, flock ROOT, look the path up again (and start over if it leads
 *         elsewhere), scan, mkdir highest + 1, unlock ROOT, unlock the lock file, report.
 *         With NAMES, it takes several numbers under one lock; a signal undoes them, newest first.
 *   Old   mkdir -p ROOT, open or create the lock file, flock it, scan, mkdir highest + 1, report,
 *         unlock. It uses the path in every call and does not look it up again.
 *
 *   - Each system call is one step. Between two steps, other processes can do anything.
 *   - Locks belong to open files of an inode, not to names. A deleted lock file stays an inode that
 *     processes with open files can lock, while others create a new inode of the same name. The
 *     same holds for a root that is renamed.
 *   - SIGKILL can end a process before any step, also while it waits. The kernel then closes its
 *     files one at a time, in any order. What the process created stays.
 *   - Anybody can delete the lock file (git clean) or rename the root at any moment.
 *
 * The scan is two steps: readdir(3) may or may not return an entry that is created or removed
 * meanwhile, so it can return any number from the highest at its start to the highest at its end.
 * If the locks work, both are the same, as the property undisturbed_scan asserts. In the broken
 * variants, they differ. More than two steps add nothing: only the highest number matters, and the
 * model tries every value in between.
 *
 * What the model leaves out without harm:
 *
 *   - Names. All are different, so a duplicate number never shows as EEXIST: the worst case.
 *   - Waiting with a timeout. Giving up closes both files, as a crash while waiting does.
 *   - Truncation by the old protocol, and the group of a new lock file: flock(2) ignores contents
 *     and attributes.
 *   - The children of the old protocol's shell. They inherit its open lock file: if the shell is
 *     killed during a mkdir, the lock is held until mkdir has ended, as in a crash after the mkdir.
 *   - Fairness. flock(2) promises none, and no property needs it: every loop below uses up a
 *     deletion, a renaming or a file that another process created, so every process that is not
 *     blocked ends.
 *
 * What the model does not cover: a root that is removed or returns to its path, a root in which no
 * lock file can be created, --reuse, --number, allocators without a lock, NFS, loss of power
 * (--durable), and entries that others put into a new topic before it is undone.
 *
 * Properties, each with the bug that it finds: see `mtype = { number_once, ... }` below. No
 * assertion is needed against waiting forever: spin reports it as an invalid end state. That finds
 * locks taken in different orders, and locks that outlive their process.
 *
 * Set with -D: NEW, OLD (processes), CRASHES, DELETIONS, RENAMINGS, SIGNALS (at most so many),
 * NAMES (numbers that a New takes), ONLY (one property, without the others). Broken variants, in
 * which spin must find a counterexample: RELEASE_BEFORE_MKDIR, ONE_LOCK_ONLY, NO_SECOND_LOOK,
 * UNDO_OLDEST_FIRST.
 */

#ifndef NEW
#define NEW 2
#endif
#ifndef OLD
#define OLD 0
#endif
#ifndef CRASHES
#define CRASHES 0
#endif
#ifndef DELETIONS
#define DELETIONS 0
#endif
#ifndef RENAMINGS
#define RENAMINGS 0
#endif
#ifndef SIGNALS
#define SIGNALS 0
#endif
#ifndef NAMES
#define NAMES 1
#endif

#define PROCESSES (NEW + OLD)
/* The highest number that can be taken, if every process takes its own. */
#define NUMBERS (NEW * NAMES + OLD)
/* Inodes are numbered from 1; 0 is none. Every renaming makes room for one more root, every
   deletion for one more lock file, and every root has a lock file of its own. */
#define ROOTS (1 + RENAMINGS)
#define LOCK_FILES (ROOTS + DELETIONS)
/* The topic of a number in a root. */
#define AT(root, number) ((root) * (NUMBERS + 1) + (number))

mtype = { new, old };

mtype = {
  /* No number has two topics. Finds: no mutual exclusion from the scan to the mkdir, whether by a
     lock released too early, taken too late, or taken on another inode than the others'. */
  number_once,
  /* The same for the topics of the new protocol: what remains of number_once if an old process runs
     after the lock file is deleted. Finds: a second lock that does not exclude the new ones. */
  number_once_among_new,
  /* If a number exists, so do all below it, at every moment. Finds: a number taken before the one
     below it was created; topics undone in the wrong order. */
  no_gap,
  /* No topic appears or vanishes during a scan. Finds: a scan outside the lock, even where it
     happens to come out right. */
  undisturbed_scan,
  /* What was reported exists and keeps existing. Finds: a report before the mkdir, or of a topic
     that was undone. */
  reported_exists,
  /* A call that begins after another one reported gets a higher number in the same root. Finds:
     numbers that are remembered, or filled into gaps, instead of being read under the lock. */
  real_time_order,
  /* The root was at its path when the locks were held. Finds: work in a root that was renamed while
     a process waited for its lock. */
  root_at_path,
  /* When all processes are gone, nothing is locked. Finds: a lock that outlives a crash, or an exit
     that forgets one. */
  nothing_locked,
  /* When all processes are gone, each root has the numbers from 1 on once each. Asserts the same as
     number_once and no_gap, but from the final state. */
  numbers_complete
};

/* The state of the disk: the inode that a name leads to, and how many topics have a number. */
byte rootAtPath;
byte lockFileIn[ROOTS + 1];
byte topics[(ROOTS + 1) * (NUMBERS + 1)];
byte rootsMade;
byte lockFilesMade;

/* The holder of the lock of an inode: its _pid + 1, or 0. */
byte rootLock[ROOTS + 1];
byte lockFileLock[LOCK_FILES + 1];

/* What has happened so far, to compare with the bounds. */
byte crashes;
byte deletions;
byte renamings;
byte signals;
byte newBegun;
byte oldBegun;
byte ended;

/* Only for the properties: the topics of the new protocol, how often a topic was reported, and the
   highest reported number. */
byte topicsOfNew[(ROOTS + 1) * (NUMBERS + 1)];
byte reported[(ROOTS + 1) * (NUMBERS + 1)];
byte highestReported[ROOTS + 1];

#define ME (_pid + 1)

#ifdef ONLY
#define IS_OFF(name) (name != ONLY)
#else
#define IS_OFF(name) false
#endif

inline property(name, holds) {
  if
  :: (holds) || IS_OFF(name)
  :: else -> printf("violated: %e\n", name); assert(name == 0)
  fi
}

inline say(kind) {
  printf("%e %d: ", kind, ME)
}

/* The alternative to every step: SIGKILL before it. */
#define OR_CRASH(kind) \
  :: atomic { crashes < CRASHES -> crashes++; say(kind); printf("is killed\n"); goto killed }

/* Processes of a kind are alike. So they begin in the order of their ids; any other order is the
   same with other names. `before` is the number of ids before the kind's first. */
inline beginInOrder(kind, begun, before) {
  begun >= _pid - before;
  begun++;
  rootAtBegin = rootAtPath;
  reportedAtBegin = highestReported[rootAtPath];
  say(kind); printf("begins\n")
}

inline makeRootIfMissing(kind) {
  if
  :: rootAtPath == 0 ->
    rootsMade++;
    rootAtPath = rootsMade;
    say(kind); printf("mkdir -p: makes root %d\n", rootAtPath)
  :: else -> say(kind); printf("mkdir -p: root %d is there\n", rootAtPath)
  fi
}

inline openLockFile(kind, in) {
  file = lockFileIn[in];
  say(kind); printf("opens lock file %d\n", file)
}

inline makeLockFile(kind, in) {
  lockFilesMade++;
  lockFileIn[in] = lockFilesMade;
  file = lockFilesMade;
  say(kind); printf("makes lock file %d\n", file)
}

inline lockLockFile(kind) {
  lockFileLock[file] == 0;
  lockFileLock[file] = ME;
  say(kind); printf("flock: has lock file %d\n", file)
}

inline lockRoot(kind) {
  rootLock[root] == 0;
  rootLock[root] = ME;
  say(kind); printf("flock: has root %d\n", root)
}

/* close(2): releases the lock if the open file holds it. */
inline closeRoot(kind) {
  say(kind); printf("closes root %d\n", root);
  if
  :: rootLock[root] == ME -> rootLock[root] = 0
  :: else
  fi;
  root = 0
}

inline closeLockFile(kind) {
  say(kind); printf("closes lock file %d\n", file);
  if
  :: lockFileLock[file] == ME -> lockFileLock[file] = 0
  :: else
  fi;
  file = 0
}

/* What the kernel does after a process is killed. */
inline closeAll(kind) {
  do
  :: atomic { root != 0 -> closeRoot(kind) }
  :: atomic { file != 0 -> closeLockFile(kind) }
  :: atomic { root == 0 && file == 0 -> break }
  od
}

/* Sets `highest` to the highest number in `in`. */
inline readHighest(in) {
  highest = NUMBERS;
  do
  :: highest > 0 && topics[AT(in, highest)] == 0 -> highest--
  :: else -> break
  od
}

inline beginScan(kind, in) {
  readHighest(in);
  say(kind); printf("begins to read root %d: highest is %d\n", in, highest)
}

/* Sets `highest` to any number from the highest at the start to the highest now. */
inline endScan(kind, in) {
  seen = highest;
  readHighest(in);
  property(undisturbed_scan, seen == highest);
  do
  :: seen < highest -> seen++
  :: seen > highest -> seen--
  :: break
  od;
  highest = seen;
  seen = 0;
  say(kind); printf("has read root %d: highest is %d\n", in, highest)
}

inline makeTopic(kind, in, number) {
  say(kind); printf("mkdir: makes %d in root %d\n", number, in);
  topics[AT(in, number)]++;
  topicsOfNew[AT(in, number)] = topicsOfNew[AT(in, number)] + (kind == new);
  property(number_once, topics[AT(in, number)] == 1);
  property(number_once_among_new, topicsOfNew[AT(in, number)] <= 1);
  property(no_gap, number == 1 || topics[AT(in, number - 1)] > 0)
}

inline removeTopic(kind, in, number) {
  say(kind); printf("rmdir: removes %d in root %d\n", number, in);
  topics[AT(in, number)]--;
  topicsOfNew[AT(in, number)] = topicsOfNew[AT(in, number)] - (kind == new);
  property(reported_exists, topics[AT(in, number)] >= reported[AT(in, number)]);
  property(no_gap, number == NUMBERS || topics[AT(in, number + 1)] == 0)
}

inline report(kind, in, number) {
  say(kind); printf("reports %d in root %d\n", number, in);
  reported[AT(in, number)]++;
  property(reported_exists, topics[AT(in, number)] >= reported[AT(in, number)]);
  property(real_time_order, in != rootAtBegin || number > reportedAtBegin);
  if
  :: number > highestReported[in] -> highestReported[in] = number
  :: else
  fi
}

#if NEW
active [NEW] proctype New() {
  byte root, file;                    /* Open files, by inode. */
  byte highest, seen;
  byte made;                          /* How many topics. */
  byte worksIn;                       /* The root, also when it is closed again. */
  byte rootAtBegin, reportedAtBegin;
  bit wasAtPath;

  atomic { beginInOrder(new, newBegun, 0) };

again:
  if
  :: atomic { true -> makeRootIfMissing(new) }
  OR_CRASH(new)
  fi;

  if
  :: atomic { rootAtPath != 0 -> root = rootAtPath; say(new); printf("opens root %d\n", root) }
  :: atomic { rootAtPath == 0 -> say(new); printf("finds no root to open\n"); goto again }
  OR_CRASH(new)
  fi;

  do
  :: atomic { lockFileIn[root] != 0 -> openLockFile(new, root); break }
  :: atomic { lockFileIn[root] == 0 -> say(new); printf("finds no lock file to open\n") };
    if
    :: atomic { lockFileIn[root] == 0 -> makeLockFile(new, root); goto opened }
    :: atomic { lockFileIn[root] != 0 -> say(new); printf("finds a lock file, makes none\n") }
    OR_CRASH(new)
    fi
  OR_CRASH(new)
  od;

opened:
  if
  :: atomic { lockLockFile(new); wasAtPath = (root == rootAtPath) }
  OR_CRASH(new)
  fi;

#ifndef ONE_LOCK_ONLY
  if
  :: atomic { lockRoot(new); wasAtPath = (root == rootAtPath) }
  OR_CRASH(new)
  fi;
#endif

#ifndef NO_SECOND_LOOK
  if
  :: atomic { root == rootAtPath -> say(new); printf("finds root %d at the path\n", root) }
  :: atomic {
      root != rootAtPath ->
      wasAtPath = 0;
      say(new); printf("finds root %d gone from the path\n", root)
    };
    if
    :: atomic { true -> closeRoot(new) }
    OR_CRASH(new)
    fi;
    if
    :: atomic { true -> closeLockFile(new); goto again }
    OR_CRASH(new)
    fi
  OR_CRASH(new)
  fi;
#endif

  if
  :: atomic {
      true ->
      /* No root returns to its path, so being there after the last lock is enough. */
      property(root_at_path, wasAtPath);
      wasAtPath = 0;
      worksIn = root;
      beginScan(new, worksIn)
    }
  OR_CRASH(new)
  fi;
  if
  :: atomic { true -> endScan(new, worksIn) }
  OR_CRASH(new)
  fi;

#ifdef RELEASE_BEFORE_MKDIR
  if
  :: atomic { true -> closeRoot(new) }
  OR_CRASH(new)
  fi;
  if
  :: atomic { true -> closeLockFile(new) }
  OR_CRASH(new)
  fi;
#endif

  do
  :: atomic {
      made < NAMES ->
      made++;
      makeTopic(new, worksIn, highest + made);
      /* A signal that has arrived takes effect here. */
      if
      :: signals < SIGNALS -> signals++; say(new); printf("notices a signal\n"); goto undo
      :: true
      fi
    }
  :: made == NAMES -> break
  OR_CRASH(new)
  od;

#ifndef RELEASE_BEFORE_MKDIR
  if
  :: atomic { true -> closeRoot(new) }
  OR_CRASH(new)
  fi;
  if
  :: atomic { true -> closeLockFile(new) }
  OR_CRASH(new)
  fi;
#endif

  if
  :: atomic {
      true ->
      do
      :: made > 0 -> highest++; made--; report(new, worksIn, highest)
      :: else -> break
      od;
      goto gone
    }
  OR_CRASH(new)
  fi;

undo:
  do
#ifdef UNDO_OLDEST_FIRST
  :: atomic { made > 0 -> highest++; made--; removeTopic(new, worksIn, highest) }
#else
  :: atomic { made > 0 -> removeTopic(new, worksIn, highest + made); made-- }
#endif
  :: made == 0 -> break
  OR_CRASH(new)
  od;

  /* The signal ends the process, which closes its files as a crash does. */
killed:
  closeAll(new);

gone:
  atomic {
    highest = 0; made = 0; worksIn = 0; rootAtBegin = 0; reportedAtBegin = 0; wasAtPath = 0;
    ended++
  }
}
#endif

#if OLD
active [OLD] proctype Old() {
  byte root, file;                    /* The root being read; the open lock file. */
  byte highest, seen;
  byte worksIn;
  byte rootAtBegin, reportedAtBegin;

  atomic { beginInOrder(old, oldBegun, NEW) };

  if
  :: atomic { true -> makeRootIfMissing(old) }
  OR_CRASH(old)
  fi;

  /* open(2) with O_CREAT and O_TRUNC, without O_EXCL: one call. */
  if
  :: atomic { rootAtPath != 0 && lockFileIn[rootAtPath] != 0 -> openLockFile(old, rootAtPath) }
  :: atomic { rootAtPath != 0 && lockFileIn[rootAtPath] == 0 -> makeLockFile(old, rootAtPath) }
  :: atomic { rootAtPath == 0 -> say(old); printf("finds no root, fails\n"); goto killed }
  OR_CRASH(old)
  fi;

  if
  :: atomic { lockLockFile(old) }
  OR_CRASH(old)
  fi;

  if
  :: atomic { rootAtPath != 0 -> root = rootAtPath; beginScan(old, root) }
  :: atomic { rootAtPath == 0 -> say(old); printf("finds no root, fails\n"); goto killed }
  OR_CRASH(old)
  fi;
  if
  :: atomic { true -> endScan(old, root); root = 0 }
  OR_CRASH(old)
  fi;

  /* mkdir -p of the whole path; if the root is missing, its two calls count as one. */
  if
  :: atomic {
      true ->
      makeRootIfMissing(old);
      worksIn = rootAtPath;
      makeTopic(old, worksIn, highest + 1)
    }
  OR_CRASH(old)
  fi;

  if
  :: atomic { true -> report(old, worksIn, highest + 1) }
  OR_CRASH(old)
  fi;

  if
  :: atomic { true -> closeLockFile(old); goto gone }
  OR_CRASH(old)
  fi;

killed:
  closeAll(old);

gone:
  atomic {
    highest = 0; worksIn = 0; rootAtBegin = 0; reportedAtBegin = 0;
    ended++
  }
}
#endif

/* Everybody else: git clean, mv. At the end, checks the final state. */
active proctype Others() {
  byte root, number;

  do
  :: atomic {
      deletions < DELETIONS ->
      /* In any root, even a renamed one. */
      root = 1;
      do
      :: root < ROOTS -> root++
      :: break
      od;
      if
      :: lockFileIn[root] != 0 ->
        printf("others: rm: lock file %d of root %d has no name now\n", lockFileIn[root], root);
        lockFileIn[root] = 0;
        deletions++
      :: else
      fi;
      root = 0
    }
  :: atomic {
      renamings < RENAMINGS && rootAtPath != 0 ->
      printf("others: mv: root %d is away from the path now\n", rootAtPath);
      rootAtPath = 0;
      renamings++
    }
  /* No process has to be killed: otherwise, a crash still to come would hide a deadlock. */
  :: atomic { crashes < CRASHES -> crashes = CRASHES }
  :: atomic { ended == PROCESSES -> break }
  od;

  atomic {
    printf("others: all processes are gone\n");
    root = 1;
    do
    :: root <= ROOTS ->
      property(nothing_locked, rootLock[root] == 0);
      number = 1;
      do
      :: number <= NUMBERS ->
        property(numbers_complete, topics[AT(root, number)] <= 1);
        property(numbers_complete,
          number == 1 || topics[AT(root, number)] == 0 || topics[AT(root, number - 1)] == 1);
        number++
      :: else -> break
      od;
      root++
    :: else -> break
    od;
    number = 1;
    do
    :: number <= LOCK_FILES -> property(nothing_locked, lockFileLock[number] == 0); number++
    :: else -> break
    od
  }
}
