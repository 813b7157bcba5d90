let help = """
  Usage: topic COMMAND [option]... [argument]...

  Works with numbered topics, such as specs/042_oauth_20.

    locate DESCRIPTION          find project and root, create the next topic, print JSON
    list [ROOT]                 list topics with their artifacts
    find [ROOT] REGEX           print the numbers of topics whose name matches
    verify [ROOT]               check that no number is used twice, and more
    renumber [ROOT]             give topics that share a number numbers of their own
    artifact TOPIC KIND [NAME]  create a directory for artifacts, or a numbered entry
                                in it, and print its path
    log append|tail LOG         add events to a log that many write to, print the last
    metrics append|summary|aggregate|rotate FILE
                                count what happens, and sum it up
    checkpoint save|load|clear RUN
                                keep the state from which a run goes on
    plan claim|done|... PLAN    share the tasks of a plan among workers
    retry check RUN             say whether another round makes sense
    cost add|total|check RUN    keep what the models of a run have cost
    try -- COMMAND {model}      run a command, and with the next model when it takes
                                too long
    gate RUN --step NAME COMMAND
                                let a run pass when all its steps do
    slug TEXT...                print the name that a topic of TEXT would get
    help [COMMAND]              print this, or what there is to know of COMMAND

        --version               print the version

  ROOT defaults to the detected root, see 'topic help locate'; for verify, to all.

  """
