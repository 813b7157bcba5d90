import Git
import POSIX
import TopicAllocation

/// Allocates topics with numbers that are unique beyond the root: reserves the numbers in the
/// ledger, then creates the topics. Ledger.swift describes the protocol.
public struct ScopedAllocator: Sendable {
  private let allocator: Allocator
  private let remote: String?
  private let rescan: Bool
  private let warn: @Sendable (LedgerWarning) -> Void

  /// A git command gets at least this long, however short the timeout.
  private static let patience = Duration.seconds(5)

  /// Creates an allocator with a wider scope.
  ///
  /// - Parameters:
  ///   - allocator: Creates the topics.
  ///   - remote: The remote whose clones share the numbers; nil for the work trees of the
  ///     repository.
  ///   - rescan: Whether to look for numbers in use in all work trees and branches.
  ///   - warn: Receives warnings; the work continues.
  public init(
    _ allocator: Allocator, remote: String?, rescan: Bool,
    warn: @escaping @Sendable (LedgerWarning) -> Void
  ) {
    self.allocator = allocator
    self.remote = remote
    self.rescan = rescan
    self.warn = warn
  }

  /// Why no topic could be allocated.
  public enum Failure: Error {
    /// No number could be reserved; nothing is created.
    case ledger(LedgerError)
    /// The topics could not be created; `reserved` numbers become gaps.
    case creation(AllocationFailure, reserved: ClosedRange<Int>?)
  }

  /// Creates topics, as ``Allocator/allocate(_:)`` does. Reserves all numbers at once, in one push.
  public func allocate(_ slugs: [Slug]) throws(Failure) -> Allocator.Allocation {
    let deadline = Instant.now + allocator.timeout
    while true {
      var allocator = allocator
      let needed = try needed(slugs)
      var reserved: ClosedRange<Int>?
      if !needed.isEmpty {
        let range = try reserve(needed, until: deadline)
        reserved = range
        if allocator.number == nil { allocator.reservation = range }
      }
      allocator.timeout = deadline - .now
      do throws(AllocationFailure) {
        return try allocator.allocate(slugs)
      } catch {
        // An allocation in this directory alone has passed these numbers. They are gaps now.
        if case .reservationPassed = error.reason, error.done.isEmpty, Instant.now < deadline {
          continue
        }
        throw .creation(error, reserved: reserved)
      }
    }
  }

  /// Returns the topics that would be created, as ``Allocator/preview(_:)`` does. Fetches the
  /// ledger of a remote.
  public func preview(_ slugs: [Slug]) throws(Failure) -> [Topic] {
    var allocator = allocator
    if try !needed(slugs).isEmpty {
      let deadline = Instant.now + max(allocator.timeout, Self.patience)
      do throws(LedgerError) {
        let next = try ledger(until: deadline).nextNumber(
          allocator.number, rescan: rescan, in: allocator.root)
        if next + slugs.count - 1 > Style.highestNumber { throw .numbersExhausted(next: next) }
        if allocator.number == nil { allocator.reservation = next...Style.highestNumber }
      } catch {
        throw .ledger(error)
      }
    }
    do throws(AllocationFailure) {
      return try allocator.preview(slugs)
    } catch {
      throw .creation(error, reserved: nil)
    }
  }

  /// Returns the slugs that need a number. With reuse, those are the ones without a topic, each
  /// once.
  private func needed(_ slugs: [Slug]) throws(Failure) -> [Slug] {
    guard allocator.reusesNames || allocator.number != nil else { return slugs }
    // Reports a wrong number before anything is reserved.
    let topics: [Topic]
    do throws(AllocationFailure) {
      topics = try allocator.preview(slugs)
    } catch {
      throw .creation(error, reserved: nil)
    }
    guard allocator.reusesNames else { return slugs }
    var seen: Set<Path> = []
    return zip(slugs, topics).compactMap { slug, topic in
      let isNew = (try? FileStatus.ofLink(topic.path)) == nil
      return isNew && seen.insert(topic.path).inserted ? slug : nil
    }
  }

  private func reserve(
    _ slugs: [Slug], until deadline: Instant
  ) throws(Failure) -> ClosedRange<Int> {
    do throws(LedgerError) {
      let latest = Instant.now + Self.patience
      return try ledger(until: max(deadline, latest)).reserve(
        slugs, number: allocator.number, rescan: rescan, in: allocator.root, until: deadline)
    } catch {
      throw .ledger(error)
    }
  }

  private func ledger(until deadline: Instant) throws(LedgerError) -> Ledger {
    var repository = try askGit(Repository(holding: allocator.root, until: deadline))
    repository.git.isDurable = allocator.isDurable
    return try Ledger(of: repository, remote: remote, allocator.style, warn: warn)
  }
}
