using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Decides what a connection is for: a new association, one that goes on, or none. Called from the connection's reader or from the
/// dispatcher.
/// </summary>
internal interface IHelloHandler
{
    /// <summary>The peer has said HELLO.</summary>
    void OnHello(PostConnection connection, HelloFrame hello);

    /// <summary>The connection has ended; the last call of all.</summary>
    void OnEnded(PostConnection connection, TransportException reason);

    /// <summary>The peer broke a rule of post/1.</summary>
    void OnViolation(PostConnection connection, PostErrorCode code, string what);
}
