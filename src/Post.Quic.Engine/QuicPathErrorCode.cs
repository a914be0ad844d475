namespace Post.Quic.Engine;

/// <summary>
/// The codes that tell the peer why a path is given up (draft-ietf-quic-multipath-21 section 8). They are QUIC's own, not the
/// application's; a peer may send others.
/// </summary>
public static class QuicPathErrorCode
{
    /// <summary>Nothing is wrong; it is also what a side says that follows the other.</summary>
    public const long None = 0;

    /// <summary>The application wants the path no more.</summary>
    public const long ApplicationRequest = 0x3e;

    /// <summary>There are not the means for so many paths.</summary>
    public const long ResourceLimit = 0x3e75;

    /// <summary>The path fails, or is not good enough to be kept.</summary>
    public const long UnstableOrPoor = 0x3e76;

    /// <summary>The path cannot be used for want of connection ids.</summary>
    public const long NoConnectionId = 0x3e77;
}
