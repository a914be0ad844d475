using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.Congestion;
using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Recovery;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// After a path has learnt something, tells those who build on it: the streams their round trip, the datagrams their
/// size, the layer above what changed on the path.
/// </summary>
internal sealed class PathWatch
{
    /// <summary>RFC 9002: a packet that three probe timeouts did not bring will not come.</summary>
    private const int SuspicionPeriods = 3;

    private readonly ConnectionState _state;

    public PathWatch(ConnectionState state)
    {
        _state = state;
    }

    /// <summary>Another path is in use than before, or one less.</summary>
    public void OnUseChanged()
    {
        UpdateStreams();
        _state.Parameters.UpdateDatagramSize();
    }

    public void OnChanged(Path path, long now)
    {
        UpdateStreams();
        _state.Datagrams.SuspicionTime = SuspicionPeriods * _state.Paths.ProbeTimeoutPeriod;
        _state.Trace?.MetricsUpdated(now, path.Network);
        _state.AckFrequency.Update(_state.Paths.Neediest, _state.Peer);
        Report(path);
    }

    /// <summary>What is sent may go by any path: windows grow by the longest round trip, and writers wait for all windows together.</summary>
    private void UpdateStreams()
    {
        long roundTrip = 0;
        long window = 0;
        foreach (Path path in _state.Paths.Open)
        {
            if (path.IsUsable || path == _state.Paths.Main)
            {
                roundTrip = Math.Max(roundTrip, path.Transmission.Rtt.Smoothed);
                window += path.Transmission.Congestion.Window;
            }
        }

        _state.Streams.RoundTrip = roundTrip;
        _state.Streams.UnsentLimit = Math.Clamp(window / 4, Limits.LeastUnsent, Limits.MostUnsent);
    }

    private void Report(Path path)
    {
        Network network = path.Network;
        Transmission transmission = network.Transmission;
        bool isNew = network.ReportedMtu == 0;
        bool mtuChanged = transmission.Mtu.Current != network.ReportedMtu;
        bool ecnChanged = transmission.Ecn.State != network.ReportedEcn;

        // Ids of another length leave another room: a datagram of the old size would wait for a packet that never comes.
        int idLength = network.RemoteId.Id.Length;
        bool sizeChanged = mtuChanged || idLength != network.ReportedIdLength;
        network.ReportedMtu = transmission.Mtu.Current;
        network.ReportedEcn = transmission.Ecn.State;
        network.ReportedIdLength = idLength;
        if (sizeChanged)
        {
            _state.Parameters.UpdateDatagramSize();
        }

        if (isNew)
        {
            return;
        }

        if (mtuChanged)
        {
            path.Networks.Report(network, PathChange.Mtu);
        }

        if (ecnChanged && network.ReportedEcn is (EcnState.Capable or EcnState.Failed))
        {
            path.Networks.Report(network, PathChange.Ecn);
        }
    }
}
