namespace Post.Quic.Engine;

/// <summary>Which directions of a stream <see cref="QuicStream.Abort"/> gives up.</summary>
[Flags]
public enum QuicAbortDirection
{
    /// <summary>Reading: the peer is asked to stop (STOP_SENDING).</summary>
    Read = 1,

    /// <summary>Writing: the peer is told that the rest will not come (RESET_STREAM).</summary>
    Write = 2,

    /// <summary>Reading and writing.</summary>
    Both = Read | Write,
}
