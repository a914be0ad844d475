using Post.Quic.Engine.Paths.Scheduling;

namespace Post.Quic.Engine.Tests.Paths.Scheduling;

/// <summary>Sends over modelled paths what a policy says, in virtual microseconds.</summary>
internal sealed class SchedulingModel(IPathScheduler scheduler, params ModelPath[] paths)
{
    private long _now;

    public long Now => _now;

    /// <summary>Sends so many bytes one after the other as bulk; returns how long it takes until all of them are there.</summary>
    public long Transfer(long bytes)
    {
        long begin = _now;
        long done = _now;
        while (bytes > 0)
        {
            if (!TrySend(new SendDemand(SendKind.Bulk, bytes), (int)Math.Min(bytes, ModelPath.Datagram), out long there))
            {
                Wait(long.MaxValue);
                continue;
            }

            done = Math.Max(done, there);
            bytes -= ModelPath.Datagram;
        }

        return done - begin;
    }

    /// <summary>
    /// Sends bulk without end and, every so many microseconds, one urgent datagram; returns how long each of those takes.
    /// </summary>
    public List<long> Interrupt(long period, int times)
    {
        var delays = new List<long>();
        long due = _now + period;
        while (delays.Count < times)
        {
            if (_now >= due)
            {
                if (TrySend(new SendDemand(SendKind.Urgent, long.MaxValue / 4), 200, out long there))
                {
                    delays.Add(there - due);
                    due += period;
                    continue;
                }
            }
            else if (TrySend(new SendDemand(SendKind.Bulk, 1 << 20), ModelPath.Datagram, out _))
            {
                continue;
            }

            Wait(_now < due ? due : long.MaxValue);
        }

        return delays;
    }

    private bool TrySend(SendDemand demand, int size, out long there)
    {
        var views = new PathView[paths.Length];
        for (int i = 0; i < paths.Length; i++)
        {
            views[i] = paths[i].View(_now);
        }

        int chosen = scheduler.Choose(views, demand, _now);
        if (chosen < 0)
        {
            there = 0;
            return false;
        }

        Assert.IsTrue(views[chosen].CanSend, $"path {chosen} cannot send");
        there = paths[chosen].Send(size, _now);
        return true;
    }

    private void Wait(long until)
    {
        long next = Math.Min(until, paths.Min(path => path.NextEvent(_now)));
        Assert.AreNotEqual(long.MaxValue, next, "the policy waits for a path that has nothing in flight");
        _now = Math.Max(_now, next);
        foreach (ModelPath path in paths)
        {
            path.RunTo(_now);
        }
    }
}
