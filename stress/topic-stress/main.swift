import CommandLine
import StressHarness

Tool("topic-stress").run(.topicStress)
