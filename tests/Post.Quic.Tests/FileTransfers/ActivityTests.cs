using FileTransfer;
using FileTransfer.Reporting;

namespace Post.Quic.Tests.FileTransfers;

/// <summary>What is told of a transfer while it runs is true of the last seconds.</summary>
[TestClass]
public sealed class ActivityTests
{
    private readonly SteppedClock _clock = new();
    private readonly TransferProgress _progress = new();

    [TestMethod]
    public void The_rate_is_that_of_the_last_seconds_and_standing_still_is_said()
    {
        var activity = new Activity(_progress, _clock);
        _progress.Announce(1L << 40, 0);
        activity.Describe();
        for (int second = 0; second < 10; second++)
        {
            _progress.Move(100L << 20);
            _clock.Step(TimeSpan.FromSeconds(1));
            Assert.AreEqual("100 MiB/s", activity.Describe());
        }

        for (int second = 0; second < 6; second++)
        {
            _progress.Move(1L << 20);
            _clock.Step(TimeSpan.FromSeconds(1));
            activity.Describe();
        }

        Assert.AreEqual("1 MiB/s", activity.Describe());
        _clock.Step(TimeSpan.FromSeconds(7));
        Assert.AreEqual("stalled for 7 s", activity.Describe());
    }

    [TestMethod]
    public void Before_the_first_file_it_is_said_what_goes_on()
    {
        var activity = new Activity(_progress, _clock);
        _progress.List(1234);

        Assert.AreEqual("looking, 1234 found", activity.Describe());
    }

    private sealed class SteppedClock : TimeProvider
    {
        private long _now = 1;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Step(TimeSpan time) => _now += time.Ticks;
    }
}
