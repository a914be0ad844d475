namespace Post.Quic.Engine;

/// <summary>Which use of a path one side wishes (draft-ietf-quic-multipath-21 section 3.3).</summary>
public enum QuicPathStatus
{
    /// <summary>It may be used like any other.</summary>
    Available,

    /// <summary>It is to be used only where no available path works.</summary>
    Backup,
}
