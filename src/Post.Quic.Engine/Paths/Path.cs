using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// A path of a connection: its packet-number space with its recovery, the connection ids of both sides, and the networks that it
/// goes over. Without multipath there is one, with id 0; migration gives it another network (RFC 9000 section 9) and leaves the
/// rest as it is.
/// </summary>
internal sealed class Path
{
    private readonly IPathHost _host;
    private LossRecovery? _recovery;
    private Networks? _networks;
    private Migration? _migration;

    public Path(uint id, IPathHost host)
    {
        Id = id;
        _host = host;
        LocalIds = new LocalConnectionIds(host.ConnectionIds, id);
        RemoteIds = new RemoteConnectionIds(host.ActiveConnectionIdLimit, id);
    }

    /// <summary>Never used again for another path of the connection.</summary>
    public uint Id { get; }

    /// <summary>The connection ids of ours that the peer sends to on this path.</summary>
    public LocalConnectionIds LocalIds { get; }

    /// <summary>The connection ids of the peer's that we send to on this path.</summary>
    public RemoteConnectionIds RemoteIds { get; }

    /// <summary>It has a network; until then it has nothing but connection ids.</summary>
    public bool IsOpen => _recovery is not null;

    public LossRecovery Recovery => _recovery ?? throw NotOpen();

    /// <summary>The path's packet-number space (0-RTT and 1-RTT).</summary>
    public PacketNumberSpace Space => Recovery.Application;

    public Networks Networks => _networks ?? throw NotOpen();

    public Migration Migration => _migration ?? throw NotOpen();

    /// <summary>The network that new data goes over.</summary>
    public Network Network => Networks.Active;

    public Transmission Transmission => Networks.Active.Transmission;

    /// <summary>When the pacer lets the next burst out; <see cref="long.MaxValue"/> where it holds nothing back.</summary>
    public long PacingDeadline { get; set; } = long.MaxValue;

    /// <summary>Opens the path over its first network.</summary>
    public Network Open(in NetworkAddress local, in NetworkAddress remote)
    {
        Transmission transmission = _host.CreateTransmission(0);
        _recovery = _host.CreateRecovery(Id, transmission);
        var network = new Network(_host.NextNetworkId(), local, remote, transmission) { Spin = _host.FirstSpin };
        _networks = new Networks(this, _host, network);
        _migration = new Migration(this, _host);
        return network;
    }

    /// <summary>Gives another network of the path its own measurements, window and size.</summary>
    public Transmission CreateTransmission()
    {
        Transmission transmission = _host.CreateTransmission(Recovery.Transmissions.FreeIndex);
        Recovery.Add(transmission);
        return transmission;
    }

    private InvalidOperationException NotOpen() => new($"Path {Id} is not open.");
}
