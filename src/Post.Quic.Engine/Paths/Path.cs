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
    private NetworkIds? _ids;
    private NetworkValidation? _validation;
    private Migration? _migration;

    /// <summary>Fields: the structs are changed in place.</summary>
    public PathStatus OwnStatus;

    public PathStatus PeerStatus;

    public Path(uint id, IPathHost host)
    {
        Id = id;
        _host = host;
        LocalIds = new LocalConnectionIds(host.ConnectionIds, id);
        RemoteIds = new RemoteConnectionIds(host.ActiveConnectionIdLimit, id);
    }

    /// <summary>Never used again for another path of the connection.</summary>
    public uint Id { get; }

    public PathPhase Phase { get; set; }

    /// <summary>The connection ids of ours that the peer sends to on this path.</summary>
    public LocalConnectionIds LocalIds { get; }

    /// <summary>The connection ids of the peer's that we send to on this path.</summary>
    public RemoteConnectionIds RemoteIds { get; }

    /// <summary>It has, or had, a network; until then it has nothing but connection ids.</summary>
    public bool HasNetwork => _recovery is not null;

    public LossRecovery Recovery => _recovery ?? throw NoNetwork();

    /// <summary>The path's packet-number space (0-RTT and 1-RTT).</summary>
    public PacketNumberSpace Space => Recovery.Application;

    public Networks Networks => _networks ?? throw NoNetwork();

    /// <summary>The connection ids that its networks use.</summary>
    public NetworkIds Ids => _ids ?? throw NoNetwork();

    /// <summary>Whether its networks reach the peer.</summary>
    public NetworkValidation Validation => _validation ?? throw NoNetwork();

    public Migration Migration => _migration ?? throw NoNetwork();

    /// <summary>The network that new data goes over.</summary>
    public Network Network => Networks.Active;

    public Transmission Transmission => Networks.Active.Transmission;

    /// <summary>What its silence says of it; told from time to time by <see cref="JudgeSilence"/>.</summary>
    public PathStanding Standing { get; private set; }

    /// <summary>Either side would rather keep it for when nothing else works.</summary>
    public bool IsBackup => OwnStatus.IsBackup || PeerStatus.IsBackup;

    /// <summary>Whatever there is may go by it.</summary>
    public bool IsUsable => Phase == PathPhase.Open && Network.IsValidated;

    public PathGrade Grade => !IsUsable ? PathGrade.None : Standing switch
    {
        PathStanding.Failing => PathGrade.Failing,
        PathStanding.Suspect => PathGrade.Suspect,
        _ => IsBackup ? PathGrade.Backup : PathGrade.Available,
    };

    /// <summary>When something last came by it, or was told to have arrived by it.</summary>
    public long LastHeard { get; set; } = long.MinValue;

    /// <summary>When the pacer lets the next burst out; <see cref="long.MaxValue"/> where it holds nothing back.</summary>
    public long PacingDeadline { get; set; } = long.MaxValue;

    /// <summary>We would open it, and the peer gave no connection id: that waits to be said.</summary>
    public bool IsBlockedToSend { get; set; }

    /// <summary>The PATH_ABANDON of ours waits to be sent on another path.</summary>
    public bool AbandonToSend { get; set; }

    /// <summary>Why it was given up: the code that we say.</summary>
    public ulong AbandonCode { get; private set; }

    /// <summary>Why it was given up, as the side said that did so first; null while it is not.</summary>
    public ulong? EndCode { get; private set; }

    /// <summary>The peer has given it up as well.</summary>
    public bool IsAbandonedByPeer { get; private set; }

    /// <summary>When an abandoned path is forgotten; <see cref="long.MaxValue"/> for one that is not abandoned.</summary>
    public long ForgetAt { get; private set; } = long.MaxValue;

    /// <summary>When <see cref="JudgeSilence"/> has news; <see cref="long.MaxValue"/> for never.</summary>
    public long NextJudgement => Standing switch
    {
        PathStanding.Good => Recovery.OwedSince(SuspectPeriods),
        PathStanding.Suspect => Recovery.OwedSince(FailingPeriods),
        _ => long.MaxValue,
    };

    private const int SuspectPeriods = 2;
    private const int FailingPeriods = 3;

    /// <summary>Opens the path over its first network.</summary>
    public Network Open(in NetworkAddress local, in NetworkAddress remote)
    {
        Transmission transmission = _host.CreateTransmission(0);
        _recovery = _host.CreateRecovery(Id, transmission);
        var network = new Network(_host.NextNetworkId(), local, remote, transmission) { PathId = Id, Spin = _host.FirstSpin };
        _networks = new Networks(this, _host, network);
        _ids = new NetworkIds(this, _host);
        _validation = new NetworkValidation(this, _host);
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

    /// <summary>
    /// Draws the conclusion from how long the path has owed acknowledgements. Returns whether it is worse than before: what it
    /// holds is then to go by other paths, if there are any.
    /// </summary>
    public bool JudgeSilence(long now)
    {
        PathStanding before = Standing;
        Standing = Recovery.OwedSince(FailingPeriods) <= now ? PathStanding.Failing
            : Recovery.OwedSince(SuspectPeriods) <= now ? PathStanding.Suspect
            : PathStanding.Good;
        return Standing > before;
    }

    /// <summary>
    /// One side gives the path up. The ids of the peer's are retired with it, so that nothing can be sent on it any more
    /// (draft-ietf-quic-multipath-21 section 3.4); those of ours stay until what is under way has come.
    /// </summary>
    /// <param name="code">What the answer says.</param>
    /// <param name="forgetAt">When it is forgotten.</param>
    public void Abandon(ulong code, long forgetAt)
    {
        Phase = PathPhase.Abandoned;
        AbandonCode = code;
        EndCode ??= code;
        AbandonToSend = true;
        ForgetAt = forgetAt;
        PacingDeadline = long.MaxValue;
        RemoteIds.RetireAll();
        LocalIds.Stop();
        _ids?.WithdrawTokens();
    }

    /// <summary>The peer says that it gives the path up, and why.</summary>
    public void OnAbandonReceived(ulong code) => EndCode ??= code;

    /// <summary>What one of its networks is good for.</summary>
    public PathState StateOf(Network network)
    {
        if (Phase == PathPhase.Abandoned)
        {
            return PathState.Abandoned;
        }

        if (!network.IsValidated)
        {
            return network.Validation.State == PathValidationState.Failed ? PathState.Unreachable : PathState.Validating;
        }

        return network != Network ? PathState.Left : Standing switch
        {
            PathStanding.Failing => PathState.Failing,
            PathStanding.Suspect => PathState.Suspect,
            _ => IsBackup ? PathState.Backup : PathState.Available,
        };
    }

    /// <summary>The peer gave the path up.</summary>
    public void OnAbandonedByPeer(long forgetAt)
    {
        IsAbandonedByPeer = true;
        ForgetAt = forgetAt;
    }

    private InvalidOperationException NoNetwork() => new($"Path {Id} has no network.");
}
