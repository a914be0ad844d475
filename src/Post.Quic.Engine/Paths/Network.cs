using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// What a path goes over: two addresses, and all that would be others' between other addresses: connection ids, validation, the
/// limit on amplification, and what was counted.
/// </summary>
internal sealed class Network
{
    public Network(int id, in NetworkAddress local, in NetworkAddress remote, Transmission transmission)
    {
        Id = id;
        Local = local;
        Remote = remote;
        Transmission = transmission;
    }

    /// <summary>Names it to the layer above; never used twice in a connection.</summary>
    public int Id { get; }

    /// <summary>The path that goes over it.</summary>
    public uint PathId { get; init; }

    /// <summary>Its host may be unspecified until the first packet shows which of our addresses it is.</summary>
    public NetworkAddress Local { get; private set; }

    /// <summary>
    /// Nobody asked for this address of ours: the machine chose it, and may choose another when that has no way to the peer any more.
    /// </summary>
    public bool IsLocalLearned { get; private set; }

    public NetworkAddress Remote { get; }

    /// <summary>
    /// Round-trip time, congestion, pacing, MTU and ECN. Two paths that differ only by the port of a NAT share it: the
    /// way is the same (RFC 9000 section 9.4).
    /// </summary>
    public Transmission Transmission { get; }

    /// <summary>The socket that it goes by takes nothing at the moment.</summary>
    public bool IsHeld { get; set; }

    /// <summary>The id of the peer's that packets on this path go to.</summary>
    public RemoteConnectionId RemoteId { get; set; }

    /// <summary>The sequence number of our id that the peer last used on this path.</summary>
    public ulong LocalIdSequence { get; set; }

    /// <summary>A field: the struct is changed in place.</summary>
    public AntiAmplification Amplification;

    public PathValidation Validation;

    public PathResponses Responses;

    /// <summary>The reset token that the owner was told of for this path.</summary>
    public StatelessResetToken? AnnouncedToken { get; set; }

    /// <summary>New data goes by this path once it is validated: we asked for it.</summary>
    public bool ActivateWhenValidated { get; set; }

    /// <summary>New data goes by another network, to which the peer has not followed yet.</summary>
    public bool IsLeft { get; set; }

    /// <summary>It was opened to see which way the machine would take now; that may turn out to be the one in use.</summary>
    public bool IsSearch { get; init; }

    /// <summary>The spin bit's value for the next packet (RFC 9000 section 17.4).</summary>
    public bool Spin { get; set; }

    /// <summary>The peer has been heard on it, in a way that nobody can forge who is not on the path.</summary>
    public bool IsValidated { get; set; }

    /// <summary>It was validated with datagrams below 1200 bytes; larger ones are being tried (RFC 9000 section 8.2.1).</summary>
    public bool LacksSizeProof { get; set; }

    /// <summary>How often they were tried in vain while smaller packets came by the path.</summary>
    public int FailedSizeProofs { get; set; }

    /// <summary>Validations in a row during which nothing at all came by the path: the next one takes twice as long.</summary>
    public int SilentValidations { get; set; }

    /// <summary><see cref="PacketsReceived"/> when the last validation began.</summary>
    public long HeardWhenAsked { get; set; }

    /// <summary>What the layer above was last told of its size; 0 before it was told any. Likewise of ECN and the id's length.</summary>
    public int ReportedMtu { get; set; }

    public EcnState ReportedEcn { get; set; }

    public int ReportedIdLength { get; set; }

    public long PacketsSent { get; set; }

    public long PacketsReceived { get; set; }

    public long BytesSent { get; set; }

    public long BytesReceived { get; set; }

    /// <summary>A packet of the peer's shows which of our addresses it is, where the socket is bound to none.</summary>
    public void LearnLocal(in NetworkAddress local)
    {
        if (Local.IsUnspecified && !local.IsUnspecified && local.Port == Local.Port)
        {
            Local = local;
            IsLocalLearned = true;
        }
    }

    /// <summary>The machine may choose another address of ours for the next packet.</summary>
    public void ForgetLocal()
    {
        if (IsLocalLearned)
        {
            Local = Local.Unspecified;
            IsLocalLearned = false;
        }
    }

    public PathStatistics ToStatistics(Path path) => new()
    {
        PathId = path.Id,
        NetworkId = Id,
        Local = Local,
        Remote = Remote,
        IsActive = path.Phase != PathPhase.Abandoned && this == path.Network,
        IsValidated = IsValidated,
        State = path.StateOf(this),
        IsOwnBackup = path.OwnStatus.IsBackup,
        IsPeerBackup = path.PeerStatus.IsBackup,
        EndCode = path.EndCode,
        SmoothedRtt = Transmission.Rtt.HasSample ? Transmission.Rtt.Smoothed : 0,
        MinRtt = Transmission.Rtt.Minimum,
        LatestRtt = Transmission.Rtt.Latest,
        RttVariation = Transmission.Rtt.HasSample ? Transmission.Rtt.Variation : 0,
        CongestionWindow = Transmission.Congestion.Window,
        BytesInFlight = Transmission.BytesInFlight,
        EstimatedRate = Transmission.EstimatedBandwidth,
        PacingRate = Transmission.Congestion.MaximumRate(Transmission.Rtt.Smoothed),
        Mtu = Transmission.Mtu.Current,
        EcnCapable = Transmission.Ecn.State == EcnState.Capable,
        PacketsSent = PacketsSent,
        PacketsReceived = PacketsReceived,
        PacketsLost = (long)Transmission.PacketsLost,
        BytesSent = BytesSent,
        BytesReceived = BytesReceived,
        BytesLost = (long)Transmission.BytesLost,
        PacketsSpuriouslyLost = (long)Transmission.PacketsSpuriouslyLost,
        ProbeTimeouts = path.HasNetwork && this == path.Network ? path.Recovery.ProbeTimeouts : 0,
        CongestionEvents = Transmission.Congestion.CongestionEvents,
    };
}
