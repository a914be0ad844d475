using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// Makes the connection ids that a connection gives to its peer. The endpoint routes by them, so it decides what
/// they look like; the stateless reset token of each follows from the endpoint's key (RFC 9000 section 10.3.2).
/// </summary>
internal interface IConnectionIdSource
{
    /// <summary>The same for all of them; 0 for an endpoint that needs no ids because it has one connection.</summary>
    int Length { get; }

    /// <summary>A fresh id, unpredictable and not in use; packets to it shall from now on reach the connection.</summary>
    ConnectionId Issue(out StatelessResetToken token);

    /// <summary>The peer will not use the id any more.</summary>
    void Retire(in ConnectionId id);
}
