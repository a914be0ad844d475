using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// What the paths ask of the connection that they belong to, and what they tell it. They know nothing else of it.
/// </summary>
internal interface IPathHost
{
    bool IsServer { get; }

    /// <summary>RFC 9001 section 4.1.2: nobody moves before the handshake is confirmed.</summary>
    bool IsHandshakeConfirmed { get; }

    /// <summary>The connection has ended: nothing is validated or given up any more.</summary>
    bool IsOver { get; }

    /// <summary>The time of the call in progress.</summary>
    long Now { get; }

    /// <summary>Where the ids come from that we give to the peer.</summary>
    IConnectionIdSource ConnectionIds { get; }

    /// <summary>The active_connection_id_limit that we announced.</summary>
    ulong ActiveConnectionIdLimit { get; }

    /// <summary>What the spin bit of a path begins with (RFC 9000 section 17.4).</summary>
    bool FirstSpin { get; }

    /// <summary>
    /// RFC 9000 section 18.2: the server asked its clients not to move while they talk to the address of the handshake.
    /// </summary>
    bool IsMigrationForbidden(in NetworkAddress remote);

    /// <summary>The server's preferred address of the family, or none (RFC 9000 section 9.6).</summary>
    NetworkAddress PreferredAddress(bool isIPv4);

    /// <summary>Names a network for the life of the connection; no number is used twice.</summary>
    int NextNetworkId();

    /// <summary>Gives a new network its own measurements, window and size.</summary>
    Transmission CreateTransmission(byte index);

    /// <summary>Gives a path that opens its packet-number space and its recovery.</summary>
    LossRecovery CreateRecovery(uint pathId, Transmission first);

    /// <summary>Something happened to a path.</summary>
    void OnPathChanged(in PathEvent change);

    /// <summary>What is known of the path's network has changed, or the network itself.</summary>
    void OnNetworkChanged(Path path, long now);

    /// <summary>A token of the peer's came into use for datagrams from the address (RFC 9000 section 10.3).</summary>
    void OnResetTokenAdded(in NetworkAddress remote, in StatelessResetToken token);

    void OnResetTokenRemoved(in NetworkAddress remote, in StatelessResetToken token);

    /// <summary>The peer answered over the path's network.</summary>
    void OnValidated(Path path, long now);

    /// <summary>The path reaches the peer no more.</summary>
    void OnPathFailed(Path path, string reason, long now);

    /// <summary>The peer broke a rule.</summary>
    void Fail(in TransportError error, long now);
}
