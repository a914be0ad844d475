using Post.Sockets.Associations.Delivery;
using Post.Sockets.Associations.Ownership;
using Post.Sockets.Protocol;
using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Connections;

/// <summary>The association that a connection carries, as the connection sees it.</summary>
internal interface IConnectionUser
{
    AssociationState State { get; }

    /// <summary>The connection that it has now.</summary>
    CurrentConnection Connection { get; }

    /// <summary>Decides what follows from the end of its connections.</summary>
    IHelloHandler HelloHandler { get; }

    ObjectDelivery Delivery { get; }

    EventHub Events { get; }

    /// <summary>The peer has said GOAWAY. By the owner.</summary>
    bool IsPeerGoing { get; }

    /// <summary>The peer will serve nothing from an id on. By the owner.</summary>
    PostErrorCode OnGoAway(GoAwayFrame frame);

    /// <summary>The handshake is complete. From the dispatcher.</summary>
    void OnHandshakeCompleted(PostConnection connection);

    /// <summary>The server did not take the early data. By the owner.</summary>
    void OnEarlyDataRejected(PostConnection connection);

    /// <summary>The peer has all of our control stream. By the owner.</summary>
    void OnControlStreamAcknowledged();

    /// <summary>Something happened to a path. From any thread.</summary>
    void OnPathChanged(PostConnection connection, PostPath path, PostPathChange change);

    /// <summary>The peer says where else it can be reached. From any thread.</summary>
    void OnPeerAddresses(PostConnection connection, FurtherAddresses addresses);

    /// <summary>The peer has opened a Post stream, of which the first bytes are here; false when it does not belong to the application.</summary>
    ValueTask<bool> AcceptStreamAsync(PostConnection connection, TransportStream stream, ReadOnlyMemory<byte> bytes, bool isCompleted);

    /// <summary>A defect of ours or of the transport. From any thread.</summary>
    void OnFailed(Exception exception);
}
