using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Connection;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Paths;

/// <summary>
/// After recovery has learnt something, tells those who build on it: the streams their round trip, the datagrams their
/// size, the layer above what changed on the path.
/// </summary>
internal sealed class PathMonitor
{
    /// <summary>RFC 9002: a packet that three probe timeouts did not bring will not come.</summary>
    private const int SuspicionPeriods = 3;

    private readonly ConnectionState _state;
    private Transmission? _watched;
    private int _mtu;
    private EcnState _ecn;
    private int _idLength;

    public PathMonitor(ConnectionState state)
    {
        _state = state;
    }

    public void OnRecoveryChanged(long now)
    {
        Network path = _state.Paths.Active;
        Transmission recovery = path.Transmission;
        _state.Streams.RoundTrip = recovery.Rtt.Smoothed;
        _state.Streams.UnsentLimit = Math.Clamp(recovery.Congestion.Window / 4, Limits.LeastUnsent, Limits.MostUnsent);
        _state.Datagrams.SuspicionTime = SuspicionPeriods * _state.Recovery.ProbeTimeoutPeriod;
        _state.Trace?.MetricsUpdated(now, path);
        _state.AckFrequency.Update(recovery, _state.Peer);
        // Ids of another length leave another room: a datagram of the old size would wait for a packet that never comes.
        int idLength = path.RemoteId.Id.Length;
        if (_watched != recovery || _idLength != idLength)
        {
            _watched = recovery;
            _idLength = idLength;
            _mtu = recovery.Mtu.Current;
            _ecn = recovery.Ecn.State;
            _state.Parameters.UpdateDatagramSize();
            return;
        }

        if (recovery.Mtu.Current != _mtu)
        {
            _mtu = recovery.Mtu.Current;
            _state.Parameters.UpdateDatagramSize();
            _state.Paths.Report(path, PathChange.Mtu);
        }

        if (recovery.Ecn.State != _ecn)
        {
            _ecn = recovery.Ecn.State;
            if (_ecn is EcnState.Capable or EcnState.Failed)
            {
                _state.Paths.Report(path, PathChange.Ecn);
            }
        }
    }
}
