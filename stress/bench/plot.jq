# Plots the summary as SVG: the time of the whole process over the number of topics, both logarithmic.

def decades($from; $to): [range($from; $to + 1)];
def fixed: . * 10 | round / 10;
def escaped: @html;
def grouped: tostring | if length > 3 then (.[:-3] | grouped) + "," + .[-3:] else . end;

["#0b6e4f", "#c1292e", "#235789", "#a0660b", "#6b4fa0", "#4f5d75", "#b8336a"] as $colors
| (.results | map(select(.what == "process"))) as $all
| (reduce $all[].name as $name ([]; if index($name) then . else . + [$name] end)) as $names
| ($all | map(.topics | log10) | [min, max]) as [$left, $right]
| ($all | map(.seconds * 1000 | log10) | [min, max] | [(.[0] | floor), (.[1] | ceil)]) as [$low, $high]
| def x: (log10 - $left) / ($right - $left) * 560 + 70 | fixed;
  def y: 370 - (log10 - $low) / ($high - $low) * 330 | fixed;
  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 430\" font-family=\"system-ui, sans-serif\" font-size=\"13\">",
  "<title>Time of one allocation over the number of topics</title>",
  "<rect width=\"860\" height=\"430\" fill=\"#fff\"/>",
  "<text x=\"70\" y=\"22\" font-weight=\"600\">One allocation, whole process, ms</text>",
  (decades($low; $high)[] | exp10 | "<path d=\"M70 \(y)H630\" stroke=\"#ddd\"/><text x=\"62\" y=\"\(y + 4)\" text-anchor=\"end\" fill=\"#555\">\(if . < 1 then . * 100 | round / 100 else round | grouped end)</text>"),
  ($all | map(.topics) | unique[] | "<path d=\"M\(x) 370v5\" stroke=\"#888\"/><text x=\"\(x)\" y=\"392\" text-anchor=\"middle\" fill=\"#555\">\(grouped)</text>"),
  "<path d=\"M70 370H630\" stroke=\"#888\"/><text x=\"350\" y=\"416\" text-anchor=\"middle\" fill=\"#555\">topics in the directory</text>",
  ([$names | to_entries[] | . as $entry | $all | map(select(.name == $entry.value)) |
    {name: $entry.value, color: $colors[$entry.key % ($colors | length)], points: ., end: (.[-1].seconds * 1000 | y)}]
   | sort_by(.end)
   # Each label is beside the end of its line, and below the previous label.
   | reduce .[] as $line ([]; . + [$line + {label: ([$line.end, ((.[-1].label // -99) + 17)] | max)}])
   | .[] |
    "<polyline fill=\"none\" stroke=\"\(.color)\" stroke-width=\"\(if .name == "topic-alloc" then 3 else 1.8 end)\" points=\"\([.points[] | "\(.topics | x),\(.seconds * 1000 | y)"] | join(" "))\"/>",
    (.color as $color | .points[] | "<circle cx=\"\(.topics | x)\" cy=\"\(.seconds * 1000 | y)\" r=\"3\" fill=\"\($color)\"/>"),
    "<text x=\"640\" y=\"\(.label + 4)\" fill=\"\(.color)\">\(.name | escaped)</text>"),
  "</svg>"
