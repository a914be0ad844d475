namespace Post.Sockets.Testing;

/// <summary>The kinds of <see cref="LinkMessage"/>, with what its fields hold.</summary>
internal enum LinkMessageKind
{
    /// <summary>Target: the packet that arrived.</summary>
    Acknowledge,

    /// <summary>Target: the sending half. First: how far it may send.</summary>
    StreamCredit,

    /// <summary>First: how much may be sent on all streams.</summary>
    ConnectionCredit,

    /// <summary>First: how many streams may be opened in all. Second: of which kind.</summary>
    StreamCount,

    /// <summary>Target: the sending half. First: the code. Second: the bytes sent. Third: the bytes still to be delivered.</summary>
    Reset,

    /// <summary>Target: the sending half that is to stop. First: the code.</summary>
    Stop,

    /// <summary>Target: the reason. First: the code.</summary>
    Close,

    /// <summary>A client is there: the server's listener may hand out the connection.</summary>
    Connect,

    /// <summary>The client's handshake is complete.</summary>
    HandshakeDone,

    /// <summary>The connection is alive; First: 1 asks for an answer. Second: when it was sent.</summary>
    Ping,
}
