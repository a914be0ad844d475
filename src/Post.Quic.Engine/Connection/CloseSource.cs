namespace Post.Quic.Engine.Connection;

/// <summary>What ended a connection.</summary>
internal enum CloseSource : byte
{
    /// <summary>Our application, or our engine upon an error of the peer's.</summary>
    Local,

    /// <summary>The peer's CONNECTION_CLOSE.</summary>
    Peer,

    /// <summary>Nothing came for the idle timeout (RFC 9000 section 10.1).</summary>
    IdleTimeout,

    /// <summary>The handshake was not done in the time that the options give it.</summary>
    HandshakeTimeout,

    /// <summary>The peer has lost its state (RFC 9000 section 10.3).</summary>
    StatelessReset,

    /// <summary>The server speaks no version of ours (RFC 9000 section 6.2).</summary>
    VersionNegotiation,

    /// <summary>No path is left on which the peer can be reached.</summary>
    NoViablePath,

    /// <summary>
    /// The machine or the network says that there is no way to the peer, of which nothing was heard yet. The code is a
    /// <see cref="System.Net.Sockets.SocketError"/>.
    /// </summary>
    Unreachable,

    /// <summary>The owner gave the connection up without a word to the peer.</summary>
    Abandoned,
}
