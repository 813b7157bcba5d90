import JSON

extension Prices {
  /// The list in force if the user gives none: the prices that OpenAI and Anthropic had published
  /// for their APIs by the day that it names. It leaves out discounts for caches and batches, and
  /// surcharges for long contexts. It goes out of date.
  public static let shippedList = JSONValue.object([
    JSONValue.Member("as_of", .string("2025-11-24")),
    JSONValue.Member("currency", .string("USD")),
    JSONValue.Member("per_tokens", .number("1000000")),
    JSONValue.Member(
      "models",
      .object(
        shippedModels.map { model, input, output in
          JSONValue.Member(
            model,
            .object([
              JSONValue.Member("input", .string(input)),
              JSONValue.Member("output", .string(output)),
            ]))
        })),
  ])

  /// Sources: openai.com/api/pricing, and the page "Pricing" of Anthropic's documentation.
  /// `gpt-5-2025` is the name that `topic try` uses for gpt-5-2025-08-07.
  private static let shippedModels: [(model: String, input: String, output: String)] = [
    ("gpt-5.1", "1.25", "10.00"),
    ("gpt-5.1-codex", "1.25", "10.00"),
    ("gpt-5-pro", "15.00", "120.00"),
    ("gpt-5-pro-2025-10-06", "15.00", "120.00"),
    ("gpt-5", "1.25", "10.00"),
    ("gpt-5-2025", "1.25", "10.00"),
    ("gpt-5-2025-08-07", "1.25", "10.00"),
    ("gpt-5-codex", "1.25", "10.00"),
    ("gpt-5-mini", "0.25", "2.00"),
    ("gpt-5-mini-2025-08-07", "0.25", "2.00"),
    ("gpt-5-nano", "0.05", "0.40"),
    ("gpt-5-nano-2025-08-07", "0.05", "0.40"),
    ("gpt-4.1", "2.00", "8.00"),
    ("gpt-4.1-mini", "0.40", "1.60"),
    ("gpt-4.1-nano", "0.10", "0.40"),
    ("gpt-4o", "2.50", "10.00"),
    ("gpt-4o-mini", "0.15", "0.60"),
    ("o3", "2.00", "8.00"),
    ("o4-mini", "1.10", "4.40"),
    ("claude-opus-4-5", "5.00", "25.00"),
    ("claude-opus-4-5-20251101", "5.00", "25.00"),
    ("claude-opus-4-1", "15.00", "75.00"),
    ("claude-opus-4-1-20250805", "15.00", "75.00"),
    ("claude-opus-4-20250514", "15.00", "75.00"),
    ("claude-sonnet-4-5", "3.00", "15.00"),
    ("claude-sonnet-4-5-20250929", "3.00", "15.00"),
    ("claude-sonnet-4-20250514", "3.00", "15.00"),
    ("claude-3-7-sonnet-20250219", "3.00", "15.00"),
    ("claude-haiku-4-5", "1.00", "5.00"),
    ("claude-haiku-4-5-20251001", "1.00", "5.00"),
    ("claude-3-5-haiku-20241022", "0.80", "4.00"),
  ]
}
