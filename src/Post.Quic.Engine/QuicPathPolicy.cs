namespace Post.Quic.Engine;

/// <summary>How what is sent is spread over several paths. Each side decides for what it sends; the peer need not know.</summary>
public enum QuicPathPolicy
{
    /// <summary>
    /// All paths together: each datagram goes by the path that brings it there earliest, so that much is complete as early as can be, and
    /// never later than over the best path alone. What is repaired or has a deadline takes the path that is there first (RFC 9622 section
    /// 6.2.14 calls this Aggregate).
    /// </summary>
    Aggregate,

    /// <summary>
    /// What is repaired or has a deadline takes whichever path is there first; all else stays on one path (RFC 9622: Interactive).
    /// </summary>
    Interactive,

    /// <summary>Everything goes by one path; the others are kept ready for when it fails (RFC 9622: Handover).</summary>
    Handover,

    /// <summary>
    /// The path with the smallest round trip is filled first, and what its window does not take goes by the next. Simple, and good where
    /// the paths are alike; where one is much slower, what it carries is late.
    /// </summary>
    MinimumRoundTrip,

    /// <summary>
    /// Everything goes by every path that works, so that it arrives unless it is lost on all of them. Much at a time is not held to the rate
    /// of the slowest path: a path that falls behind by more than 32 packets is spared the oldest of them. To send only what must get through
    /// by several paths, see <see cref="QuicPathBinding.Copies"/>.
    /// </summary>
    Redundant,
}
