using System.Diagnostics;

namespace FileTransfer.Sending;

/// <summary>Keeps to a number of bytes a second, over any second.</summary>
internal sealed class SendingRate(long bytesPerSecond)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private double _due;

    /// <summary>Waits until so many bytes may go.</summary>
    public async ValueTask WaitAsync(long bytes, CancellationToken cancellationToken)
    {
        if (bytesPerSecond <= 0)
        {
            return;
        }

        // What was not used for a while is not saved up.
        var now = Stopwatch.GetElapsedTime(_start).TotalSeconds;
        _due = Math.Max(_due, now - 0.1) + ((double)bytes / bytesPerSecond);
        if (_due > now)
        {
            await Task.Delay(TimeSpan.FromSeconds(_due - now), cancellationToken);
        }
    }
}
