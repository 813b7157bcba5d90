# Prints the summary as Markdown tables.

def digits($count): . * pow(10; $count) | round | tostring
  | if $count == 0 then . else
      (if length <= $count then "0" * ($count + 1 - length) + . else . end)
      | .[:-$count] + "." + .[-$count:] end;
def number: if . >= 100 then digits(0) elif . >= 10 then digits(1) else digits(2) end;
def grouped: tostring | if length > 3 then (.[:-3] | grouped) + "," + .[-3:] else . end;
def row: "| " + join(" | ") + " |";
def rule: map("---:") | .[0] = "---" | row;
def names: reduce .[].name as $name ([]; if index($name) then . else . + [$name] end);

def by_size($title):
  (map(.topics) | unique) as $sizes
  | ([$title] + ($sizes | map(grouped))) as $head
  | ($head | row), ($head | rule),
    (names[] as $name | [$name] + [$sizes[] as $size | map(select(.name == $name and .topics == $size))[0]
       | if . then "\(.seconds * 1000 | number) (×\(.ratio | number))" else "" end] | row);

def list($title; $value; figure):
  ([$title, $value, "× topic-alloc"] | row), (["", "", ""] | rule),
  (.[] | [.name, figure, (.ratio | number)] | row);

.machine as $machine
| ($machine | "\(.date), \(.processor), \(.processors) processors, \(.kernel), \(.file_system)"), "",
  (.results | map(select(.what == "process")) | by_size("whole process, ms, beside topics:")), "",
  (.results | map(select(.what == "ten")) |
    list("ten processes at once, \(.[0].topics | grouped) topics"; "calls per second"; 1 / .seconds | round | grouped)), "",
  (.results | map(select(.what == "evicted")) |
    list("after eviction, \(.[0].topics | grouped) topics"; "ms"; .seconds * 1000 | number)), "",
  (.results | map(select(.what == "reservation")) |
    (["reservation in work trees", "at once", "ms", "× explicit scope, alone"] | row), (["", "", "", ""] | rule),
    (.[] | [.name, (.topics | tostring), (.seconds * 1000 | number), (.ratio | number)] | row)), "",
  (.results | map(select(.what == "function")) |
    list("sourced function, \(.[0].topics | grouped) topics"; "ms"; .seconds * 1000 | number)), "",
  (.results | map(select(.what == "process" and .name == "topic-alloc"))
    | "topic-alloc beside \(.[-1].topics | grouped) topics: ×\(.[-1].seconds / .[0].seconds | number) of beside \(.[0].topics | grouped)")
