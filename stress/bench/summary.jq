# Turns measurements {what, topics, calls, name, round, times} into a row for each (what, topics, name):
# the median time of a call, and the median over all rounds of its ratio to topic-alloc in the same round.
# Times are in seconds, for `calls` calls each.
# Arguments: machine, an object; order, the names in order.

def median: sort | if length % 2 == 1 then .[length / 2 | floor]
  else (.[length / 2 - 1] + .[length / 2]) / 2 end;

def ratio_to($own):
  def call: (.times | median) / .calls;
  [.[] | . as $one | ($own[] | select(.round == $one.round) | call) as $reference
    | ($one | call) / $reference] | median;

map(select(.name == "explicit scope")) as $explicit
| {
  $machine,
  results: (
    group_by([.what, .topics]) | map(
      (map(select(.name == "topic-alloc" or .name == "explicit scope"))
        | if length > 0 then . else $explicit end) as $own
      | group_by(.name)[]
      | {what: .[0].what, topics: .[0].topics, name: .[0].name,
         seconds: ((map(.times[]) | median) / .[0].calls), ratio: ratio_to($own)}
    ) | sort_by(.name as $name | [.what, ($order | index($name)), .topics])
  )
}
