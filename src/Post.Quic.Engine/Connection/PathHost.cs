using Post.Quic.Engine.Addressing;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>The connection as its paths see it.</summary>
internal sealed class PathHost : IPathHost
{
    private readonly ConnectionState _state;
    private int _networks;

    public PathHost(ConnectionState state)
    {
        _state = state;
    }

    public bool IsServer => _state.IsServer;

    public bool IsHandshakeConfirmed => _state.IsHandshakeConfirmed;

    public bool IsOver => _state.IsOver;

    public long Now => _state.Now;

    public IConnectionIdSource ConnectionIds => _state.Setup.ConnectionIds;

    public ulong ActiveConnectionIdLimit => _state.Settings.ActiveConnectionIdLimit;

    public bool FirstSpin => !_state.Settings.SpinBit && _state.Random.NextBool();

    // RFC 9000 section 18.2: that is said of the address of the handshake, and not of a preferred one.
    public bool IsMigrationForbidden(in NetworkAddress remote) =>
        _state.Peer.DisableActiveMigration && remote == _state.Setup.Remote;

    public NetworkAddress PreferredAddress(bool isIPv4) => !_state.Settings.FollowPreferredAddress || _state.Peer.PreferredAddress is not { } preferred
        ? NetworkAddress.None
        : isIPv4 ? preferred.IPv4 : preferred.IPv6;

    public int NextNetworkId() => _networks++;

    public Transmission CreateTransmission(byte index) => _state.CreateTransmission(index);

    public LossRecovery CreateRecovery(uint pathId, Transmission first) => _state.CreateRecovery(pathId, first);

    public void OnPathChanged(in PathEvent change)
    {
        _state.Trace?.PathChanged(_state.Now, change);
        _state.Events.OnPath(change);
    }

    public void OnNetworkChanged(Path path, long now)
    {
        _state.PathWatch.OnChanged(path, now);
        _state.PathSilence.OnUsable();
    }

    public void OnResetTokenAdded(in NetworkAddress remote, in StatelessResetToken token) =>
        _state.Events.OnResetTokenAdded(remote, token);

    public void OnResetTokenRemoved(in NetworkAddress remote, in StatelessResetToken token) =>
        _state.Events.OnResetTokenRemoved(remote, token);

    // RFC 9000 section 9.3.2: without any validated path the connection is given up in silence.
    public void OnPathFailed(Path path, string reason, long now)
    {
        if (!_state.Multipath.OnPathFailed(path, now))
        {
            _state.Lifecycle.EndSilently(CloseSource.NoViablePath, reason, now);
        }
    }

    public void OnValidated(Path path, long now) => _state.Multipath.OnValidated(path, now);

    public void Fail(in TransportError error, long now) => _state.Lifecycle.Fail(error, now);
}
