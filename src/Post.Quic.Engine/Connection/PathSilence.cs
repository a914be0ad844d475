using Post.Quic.Engine.Paths;
using Post.Quic.Engine.Wire;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// What the silence of a path says: one that owes acknowledgements for too long gives what it holds to the others; while all are silent, each
/// is asked in turn; and one that nothing is heard on for long is given up.
/// </summary>
internal sealed class PathSilence
{
    /// <summary>Microseconds between two signs of life that each path is asked for while none answers.</summary>
    private const long LongestSearchInterval = 2_000_000;

    /// <summary>RFC 9000 section 10.1 has it for connections: at least three probe timeouts, so that losses alone end nothing.</summary>
    private const int IdlePeriods = 3;

    private readonly ConnectionState _state;
    private long _searchAt = long.MaxValue;
    private long _searchInterval;

    public PathSilence(ConnectionState state)
    {
        _state = state;
    }

    private PathTable Paths => _state.Paths;

    /// <summary>When a path's silence says something new.</summary>
    public long NextTimeout
    {
        get
        {
            long next = _searchAt;
            if (!Paths.AreSeveral)
            {
                return next;
            }

            foreach (Path path in Paths.Open)
            {
                if (path.Phase == PathPhase.Open)
                {
                    next = Math.Min(next, Math.Min(path.NextJudgement, IdleDeadline(path)));
                }
            }

            return next;
        }
    }

    public void HandleTimeout(long now)
    {
        if (Paths.AreSeveral)
        {
            foreach (Path path in Paths.Open)
            {
                if (IdleDeadline(path) <= now)
                {
                    _state.Multipath.Abandon(path, (ulong)TransportErrorCode.PathUnstableOrPoor, now);
                }
                else
                {
                    Judge(path, now);
                }
            }
        }

        Search(now);
    }

    /// <summary>
    /// A path carries content that did not before: it was validated, or a move of it was. What silent paths hold had nowhere else to go until
    /// now.
    /// </summary>
    public void OnUsable()
    {
        if (!Paths.AreSeveral)
        {
            return;
        }

        foreach (Path path in Paths.Open)
        {
            if (path.Standing != PathStanding.Good && _state.Multipath.IsAnyUsableBeside(path))
            {
                path.Recovery.GiveBack(datagramsAreLost: path.Standing == PathStanding.Failing);
            }
        }
    }

    /// <summary>Something was acknowledged on a path, or its time is up: is it still good for anything?</summary>
    public void Judge(Path path, long now)
    {
        if (!_state.Multipath.IsEnabled || path.Phase != PathPhase.Open)
        {
            return;
        }

        PathStanding before = path.Standing;
        if (path.JudgeSilence(now) && _state.Multipath.IsAnyUsableBeside(path))
        {
            path.Recovery.GiveBack(datagramsAreLost: path.Standing == PathStanding.Failing);
        }

        if (path.Standing != before)
        {
            Search(now);
            _state.PathWatch.OnUseChanged();
            path.Networks.Report(path.Network, PathChange.Standing);
        }
    }

    /// <summary>
    /// When a path that nothing is heard on is given up. The last that carries anything is a matter of the connection's own idle timeout, and
    /// how long to wait, of each side alone: the draft has no per-path timeout (section 5.8), and PATH_ABANDON tells the peer.
    /// </summary>
    private long IdleDeadline(Path path) =>
        _state.Settings.PathIdleTimeout == long.MaxValue || !path.IsUsable || !_state.Multipath.IsAnyUsableBeside(path)
            ? long.MaxValue
            : path.LastHeard + Math.Max(_state.Settings.PathIdleTimeout, IdlePeriods * path.Recovery.ProbeTimeoutPeriod);

    /// <summary>
    /// While every path is silent, each is asked from time to time, at random: the back-off of the probe timeouts would find out late
    /// that one of them works again, and can fall into step with periodic outages. One small packet for each path; what the window holds back
    /// stays back.
    /// </summary>
    private void Search(long now)
    {
        if (!Paths.AreSeveral || Paths.BestGrade is not (PathGrade.Suspect or PathGrade.Failing))
        {
            _searchAt = long.MaxValue;
            return;
        }

        if (_searchAt == long.MaxValue)
        {
            _searchInterval = 2 * Paths.ProbeTimeoutPeriod;
        }
        else if (_searchAt <= now)
        {
            _searchInterval = Math.Min(_searchInterval * 2, LongestSearchInterval);
            foreach (Path path in Paths.Open)
            {
                path.Recovery.ProbeNow(now);
            }
        }
        else
        {
            return;
        }

        _searchAt = now + (_searchInterval / 2) + (long)_state.Random.NextUInt64((ulong)_searchInterval);
    }
}
