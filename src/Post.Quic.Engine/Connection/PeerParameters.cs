using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;
using Post.Quic.Engine.Wire.Frames;
using Post.Quic.Engine.Wire.Parameters;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// The transport parameters of both sides: writes ours for this connection, and has every room know what the peer's
/// mean for it.
/// </summary>
internal sealed class PeerParameters
{
    private const long MicrosecondsPerMillisecond = 1000;

    private readonly ConnectionState _state;
    private StatelessResetToken _ownToken;
    private PreferredAddress? _ownPreferred;

    public PeerParameters(ConnectionState state)
    {
        _state = state;
        Own = ParameterFactory.Create(state.Settings);
    }

    /// <summary>Ours, but for what belongs to this connection alone.</summary>
    public TransportParameters Own { get; private set; }

    /// <summary>The peer's: defaults, then what was remembered for 0-RTT, then the real ones.</summary>
    public TransportParameters Peer { get; private set; } = new();

    public bool AreKnown { get; private set; }

    /// <summary>
    /// The highest path id that we announce; null without multipath. It needs connection ids that are not empty, of both sides
    /// (draft-ietf-quic-multipath-21 section 2.1).
    /// </summary>
    public uint? OwnMaxPathId =>
        _state.Settings.MaxPaths > 1
        && !_state.Paths.First.LocalIds.IsZeroLength
        && !(_state.IsServer && _state.Paths.First.RemoteIds.IsZeroLength)
            ? (uint)(Math.Min(_state.Settings.MaxPaths, Limits.MaxPaths) - 1)
            : null;

    public RememberedParameters? Remembered { get; private set; }

    /// <summary>The settings have changed before anything of ours was told.</summary>
    public void Renew() => Own = ParameterFactory.Create(_state.Settings);

    /// <summary>Issues what our parameters will tell: the first connection id, and that of the preferred address.</summary>
    public void Prepare()
    {
        _state.OwnInitialSource = _state.Paths.First.LocalIds.IssueInTransportParameters(out _ownToken);
        if (!_state.IsServer || _state.Paths.First.LocalIds.IsZeroLength)
        {
            return;
        }

        ConnectionSetup setup = _state.Setup;
        if (!setup.PreferredIPv4.IsNone || !setup.PreferredIPv6.IsNone)
        {
            ConnectionId id = _state.Paths.First.LocalIds.IssueInTransportParameters(out StatelessResetToken token);
            _ownPreferred = new PreferredAddress(setup.PreferredIPv4, setup.PreferredIPv6, id, token);
        }
    }

    /// <summary>Ours, with all that belongs to this connection alone.</summary>
    public TransportParameters CreateOwn()
    {
        TransportParameters common = Own with
        {
            InitialSourceConnectionId = _state.OwnInitialSource,
            VersionInformation = _state.Version.ToInformation(),
            InitialMaxPathId = OwnMaxPathId,
        };
        if (!_state.IsServer)
        {
            return common;
        }

        return common with
        {
            OriginalDestinationConnectionId = _state.OriginalDestination,
            RetrySourceConnectionId = _state.RetrySource,
            StatelessResetToken = _state.Paths.First.LocalIds.IsZeroLength ? null : _ownToken,
            PreferredAddress = _ownPreferred,
        };
    }

    /// <summary>Client: early data goes by the limits of the session before (RFC 9000 section 7.4.1).</summary>
    public void UseRemembered()
    {
        if (AreKnown
            || TransportParametersReader.TryParse(
                _state.Setup.RememberedParameters.Span, fromServer: true, out TransportParameters? before).IsError)
        {
            return;
        }

        var remembered = new RememberedParameters(before!);
        Remembered = remembered;
        Peer = remembered.ToTransportParameters();
        _state.Streams.ApplyPeerCredits(ParameterFactory.Credits(Peer));
        _state.Streams.PeerKnowsResetStreamAt = Peer.ResetStreamAt;
        _state.Datagrams.IsEarlyData = true;
        UpdateDatagramSize();
    }

    public TransportError Apply(TransportParameters peer)
    {
        // draft-ietf-quic-multipath-21 section 2.1: not in a packet to an empty connection id either.
        if (peer.InitialMaxPathId is not null && _state.Paths.First.LocalIds.IsZeroLength)
        {
            return new TransportError(TransportErrorCode.ProtocolViolation, "multipath with empty connection ids");
        }

        Peer = peer;
        AreKnown = true;
        _state.Idle.SetPeerTimeout((long)Math.Min(peer.MaxIdleTimeout, uint.MaxValue) * MicrosecondsPerMillisecond);
        SetAckDelay(_state.Paths.First.Recovery);
        _state.Streams.ApplyPeerCredits(ParameterFactory.Credits(peer));
        _state.Streams.PeerKnowsResetStreamAt = peer.ResetStreamAt;
        _state.Paths.First.Transmission.Mtu.SetLimit(MtuLimit);
        UpdateDatagramSize();
        if (peer.StatelessResetToken is { } token)
        {
            _state.Paths.First.RemoteIds.SetFirstToken(token);
            _state.Paths.First.Ids.AnnounceToken(_state.Paths.First.Network);
        }

        if (peer.PreferredAddress is { } preferred && !_state.Paths.First.RemoteIds.IsZeroLength)
        {
            // RFC 9000 section 5.1.1: its id has sequence number 1.
            return _state.Paths.First.RemoteIds.OnNew(new NewConnectionIdFrame(1, 0, preferred.ConnectionId, preferred.ResetToken));
        }

        return TransportError.None;
    }

    /// <summary>The largest UDP payload that our settings and the peer's parameters allow.</summary>
    public int MtuLimit => (int)Math.Min((ulong)_state.Settings.MaxMtu, Math.Max(Peer.MaxUdpPayloadSize, (ulong)MtuDiscovery.BaseSize));

    /// <summary>A path has to know how long the peer holds its acknowledgements back.</summary>
    public void SetAckDelay(LossRecovery recovery)
    {
        recovery.PeerMaxAckDelay = (long)Peer.MaxAckDelay * MicrosecondsPerMillisecond;
        recovery.PeerAckDelayExponent = Peer.AckDelayExponent;
    }

    /// <summary>The room for datagrams follows the peer's word and the largest of the paths that are in use: what another cannot carry goes by that.</summary>
    public void UpdateDatagramSize()
    {
        int room = 0;
        PathGrade best = _state.Paths.BestGrade;
        foreach (Path path in _state.Paths.Open)
        {
            if (path.Grade == best)
            {
                Network network = path.Network;
                int overhead = 1 + network.RemoteId.Id.Length + Wire.Packets.PacketNumber.MaxLength + Crypto.PacketKeys.Overhead;
                room = Math.Max(room, network.Transmission.Mtu.Current - overhead);
            }
        }

        // RFC 9221 section 3: what the peer announces bounds the whole frame.
        if (_state.Datagrams.SetSizes(Peer.MaxDatagramFrameSize, room))
        {
            _state.Events.OnMaxDatagramSize(_state.Datagrams.MaxSize);
        }
    }
}
