using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>
/// Decides what a connection is for. It is called from the connection's reader or from the dispatcher, outside of every lock.
/// </summary>
internal interface IGreeter
{
    /// <summary>The peer has said HELLO.</summary>
    void OnHello(Carrier carrier, HelloFrame hello);

    /// <summary>The connection has ended; the last call of all.</summary>
    void OnEnded(Carrier carrier, TransportException reason);

    /// <summary>The peer broke a rule before it was known which association it speaks for.</summary>
    void OnViolation(Carrier carrier, PostErrorCode code, string what);
}
