namespace Post.Quic.Engine.Lanes;

/// <summary>The lanes of a connection: one for whatever may go by any path and, where something is bound, one for each binding in use.</summary>
internal sealed class LaneTable
{
    private Lane[] _lanes = [new Lane(0, PathSet.Any, 1)];

    /// <summary>For whatever is bound to nothing.</summary>
    public Lane Default => _lanes[0];

    /// <summary>All lanes, by their index; some may be unused.</summary>
    public ReadOnlySpan<Lane> All => _lanes;

    /// <summary>Nothing has ever been bound: there is one lane, which is never closed.</summary>
    public bool IsOnlyDefault => _lanes.Length == 1;

    /// <summary>The lane of a binding, for one user more.</summary>
    /// <param name="paths">The paths.</param>
    /// <param name="copies">On how many of them at a time, at least 1.</param>
    public Lane Join(PathSet paths, int copies)
    {
        if (copies == Default.Copies && paths.Equals(Default.Paths))
        {
            return Default;
        }

        Lane? unused = null;
        foreach (Lane lane in _lanes.AsSpan(1))
        {
            if (lane.Users == 0)
            {
                unused ??= lane;
            }
            else if (lane.Copies == copies && lane.Paths.Equals(paths))
            {
                lane.Users++;
                return lane;
            }
        }

        if (unused is null)
        {
            unused = new Lane(_lanes.Length, paths, copies);
            _lanes = [.. _lanes, unused];
        }
        else
        {
            unused.Become(paths, copies);
        }

        unused.Users++;
        return unused;
    }

    /// <summary>A user of the lane is done with it.</summary>
    public void Leave(Lane lane)
    {
        if (lane != Default)
        {
            lane.Users--;
        }
    }

    /// <summary>Everything that waits is in question again.</summary>
    public void OpenAll()
    {
        foreach (Lane lane in _lanes)
        {
            lane.IsOpen = true;
            lane.IsBlocked = false;
        }
    }

    /// <summary>Only what waits in one lane is in question.</summary>
    public void OpenOnly(Lane one)
    {
        foreach (Lane lane in _lanes)
        {
            lane.IsOpen = lane == one;
        }
    }
}
