namespace Post.Quic.Engine.Recovery;

/// <summary>Whether a packet may be sent, and if not, what it waits for.</summary>
internal enum SendPermission : byte
{
    Allowed,

    /// <summary>The window is full: an acknowledgement or a loss will open it.</summary>
    CongestionWindow,

    /// <summary>Too soon: ask the path's pacer for the time.</summary>
    Pacing,

    /// <summary>Too many packets or frames are on their way to remember more.</summary>
    Bookkeeping,
}
