namespace Post.Quic.Engine.Paths.Scheduling;

/// <summary>Estimates when what is sent gets there. All times are microseconds.</summary>
internal static class Arrival
{
    /// <summary>The path among those of the best rank that gets a datagram there first, whether it can send now or has to wait.</summary>
    public static int First(ReadOnlySpan<PathView> paths, long now) => First(paths, sendable: false, now);

    /// <summary>The same among those that can send now; a negative number where none can.</summary>
    public static int FirstSendable(ReadOnlySpan<PathView> paths, long now) => First(paths, sendable: true, now);

    /// <summary>
    /// When a datagram that leaves by the path as soon as it can is there: as late as the variation of the round trip says that it
    /// may be, so that of two paths which are alike the steadier one is taken.
    /// </summary>
    public static long Of(in PathView path, long now) => ReadyAt(path, now) + path.OneWay + path.RoundTripVariation;

    /// <summary>
    /// When all of <paramref name="bytes"/> are there that leave by those paths of the best rank which are earlier than
    /// <paramref name="limit"/>; <see cref="long.MaxValue"/> where none is.
    /// </summary>
    public static long OfAll(ReadOnlySpan<PathView> paths, long bytes, long limit, long now)
    {
        // The paths fill one after the other: each adds its rate from the moment on at which its first byte is there. One that
        // would begin after all is done adds nothing, and goes.
        int rank = PathRank.Best(paths);
        double end = limit;
        for (int round = 0; round <= paths.Length; round++)
        {
            double rate = 0;
            double head = 0;
            foreach (ref readonly PathView path in paths)
            {
                long begin = Of(path, now);
                if (PathRank.Of(path) == rank && begin < end && begin < limit)
                {
                    double mean = MeanRate(path, bytes);
                    rate += mean;
                    head += mean * (begin - now);
                }
            }

            if (rate == 0)
            {
                return long.MaxValue;
            }

            double next = now + ((head + (bytes * 1e6)) / rate);
            if (round > 0 && next >= end)
            {
                break;
            }

            end = next;
        }

        return (long)Math.Min(end, long.MaxValue / 2);
    }

    /// <summary>
    /// What should have been acknowledged by now and was not is expected to take as long again: so nobody waits without end for a
    /// path that has fallen silent and is not yet suspect.
    /// </summary>
    private static long ReadyAt(in PathView path, long now) =>
        path.CanSend ? now : path.ReadyAt > now ? path.ReadyAt : now + (now - path.ReadyAt);

    /// <summary>In slow start so many round trips deliver all as it takes to double the window up to it.</summary>
    private static double MeanRate(in PathView path, long bytes)
    {
        if (!path.IsGrowing || bytes <= path.Window || path.Window <= 0)
        {
            return path.Rate;
        }

        double roundTrips = Math.Log2(1 + ((double)bytes / path.Window));
        return Math.Max(path.Rate, bytes * 1e6 / (roundTrips * Math.Max(path.RoundTrip, 1)));
    }

    private static int First(ReadOnlySpan<PathView> paths, bool sendable, long now)
    {
        int rank = PathRank.Best(paths);
        int sure = First(paths, rank, sendable, isInDoubt: false, now);
        return sure >= 0 ? sure : First(paths, rank, sendable, isInDoubt: true, now);
    }

    private static int First(ReadOnlySpan<PathView> paths, int rank, bool sendable, bool isInDoubt, long now)
    {
        int first = -1;
        long earliest = long.MaxValue;
        for (int i = 0; i < paths.Length; i++)
        {
            ref readonly PathView path = ref paths[i];
            if (PathRank.Of(path) != rank || path.IsInDoubt != isInDoubt || (sendable && !path.CanSend))
            {
                continue;
            }

            long arrival = Of(path, now);
            if (arrival < earliest)
            {
                earliest = arrival;
                first = i;
            }
        }

        return first;
    }
}
