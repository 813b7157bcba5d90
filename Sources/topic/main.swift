import CommandLine

Tool.topic.run(.topic)
