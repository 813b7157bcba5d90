import CommandLine

Tool("topic-alloc").run(.topicAlloc)
