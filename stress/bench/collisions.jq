# What topic-stress prints, $without a lock and $with topic-alloc: the beginning of each, as an SVG
# picture of two terminals. $allocator is the command of the first.

def escaped: @html;
# No line is wider than its terminal, and what a process printed is of no interest here.
def cut: sub(", printed .*"; ", …") | if length > 90 then .[:89] + "…" else . end;
def span($class): "<tspan class=\"\($class)\">\(escaped)</tspan>";

# A line of output, coloured as what it says.
def coloured:
  cut
  | if startswith("Collision rate: 0/") then span("good")
    elif startswith("Collision rate: ") then span("bad")
    elif startswith("  ok ") then "  " + ("ok" | span("good")) + (.[4:] | escaped)
    elif startswith("  FAILED ") then "  " + ("FAILED" | span("bad")) + (.[8:] | escaped)
    elif startswith("            ") or . == "…" then span("dim")
    else escaped end;

# The first lines of a text; a last line says that there are more.
def head($count): rtrimstr("\n") / "\n" | .[:$count] + ["…"];

# A terminal whose top is at $y: its title, the command, and the lines of its output.
def terminal($y; $title; $command):
  . as $lines
  | ($lines | length * 18 + 72) as $height
  | "<rect class=\"window\" x=\".5\" y=\"\($y + 0.5)\" width=\"759\" height=\"\($height)\" rx=\"8\"/>",
    "<path class=\"line\" d=\"M.5 \($y + 30.5)h759\"/>",
    "<text class=\"title\" x=\"20\" y=\"\($y + 20)\">\($title | escaped)</text>",
    "<text x=\"20\" y=\"\($y + 54)\">\("$ " | span("dim"))\($command | span("command"))</text>",
    ($lines | to_entries[] | select(.value != "")
      | "<text x=\"20\" y=\"\($y + 54 + 18 * (.key + 1))\">\(.value | coloured)</text>");

($without | head(8)) as $first
| ($with | head(11)) as $second
| ($first | length * 18 + 88) as $middle
| ($middle + ($second | length) * 18 + 73) as $height
| "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"760\" height=\"\($height)\" viewBox=\"0 0 760 \($height)\" xml:space=\"preserve\" role=\"img\" aria-labelledby=\"title description\">",
  "<title id=\"title\">Ten agents collide without a lock, and do not with topic-alloc</title>",
  "<desc id=\"description\">The beginning of two outputs of topic-stress, which has ten processes number at once, a hundred times. The allocator without a lock: \($first[0] | escaped). topic-alloc: \($second[0] | escaped).</desc>",
  "<style>",
  "text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace; white-space: pre; fill: #1f2328 }",
  ".window { fill: #f6f8fa; stroke: #d0d7de } .line { stroke: #d0d7de }",
  ".title { font: 600 12px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif; fill: #59636e }",
  ".command { font-weight: 600 } .dim { fill: #59636e }",
  ".good { fill: #1a7f37; font-weight: 600 } .bad { fill: #cf222e; font-weight: 600 }",
  "@media (prefers-color-scheme: dark) {",
  "text { fill: #e6edf3 } .window { fill: #161b22; stroke: #30363d } .line { stroke: #30363d }",
  ".title, .dim { fill: #9198a1 } .good { fill: #3fb950 } .bad { fill: #f85149 }",
  "}",
  "</style>",
  ($first | terminal(0; "Ten agents, each scanning for the highest number"; "topic-stress --allocator '\($allocator)'")),
  ($second | terminal($middle; "Ten agents, each calling topic-alloc"; "topic-stress")),
  "</svg>"
