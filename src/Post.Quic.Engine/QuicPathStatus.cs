namespace Post.Quic.Engine;

/// <summary>How one side wants a path to be used (draft-ietf-quic-multipath-21 section 3.3).</summary>
public enum QuicPathStatus
{
    /// <summary>It may be used like any other.</summary>
    Available,

    /// <summary>It is to be used only where no available path works.</summary>
    Backup,
}
