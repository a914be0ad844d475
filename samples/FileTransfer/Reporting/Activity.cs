using System.Globalization;

namespace FileTransfer.Reporting;

/// <summary>Says in a few words what a transfer does now: its rate over the last seconds, or that nothing moves.</summary>
internal sealed class Activity(TransferProgress progress, TimeProvider? clock = null)
{
    private static readonly TimeSpan Window = TimeSpan.FromSeconds(3);

    private readonly TimeProvider _clock = clock ?? TimeProvider.System;
    private readonly Queue<(long Time, long Moved)> _samples = new();
    private long _lastReading;
    private long _lastChange;
    private (long, long, long, long) _last;
    private bool _isReading;

    /// <summary>Looks at the progress now; to be called some times a second.</summary>
    public string Describe()
    {
        var now = _clock.GetTimestamp();
        var moved = progress.MovedInAll + progress.Skipped;
        var state = (moved, progress.Reading, progress.Listed + progress.Here, progress.FilesDone);
        if (_lastChange == 0 || state != _last)
        {
            (_last, _lastChange) = (state, now);
        }

        _isReading = progress.Reading != _lastReading;
        _lastReading = progress.Reading;
        _samples.Enqueue((now, moved));
        while (_samples.Count > 2 && _clock.GetElapsedTime(_samples.Peek().Time, now) > Window)
        {
            _samples.Dequeue();
        }

        var silence = _clock.GetElapsedTime(_lastChange, now);
        var (since, before) = _samples.Peek();
        var seconds = _clock.GetElapsedTime(since, now).TotalSeconds;
        return silence >= Window
            ? string.Create(CultureInfo.InvariantCulture, $"stalled for {silence.TotalSeconds:0} s")
            : progress.Files == 0
                ? progress.IsListed ? "comparing" : string.Create(CultureInfo.InvariantCulture, $"looking, {progress.Listed} found")
                : moved == before && _isReading
                    ? $"reading what is there, {ByteSizes.Format(progress.Reading)}"
                    : $"{ByteSizes.Format(seconds > 0 ? (moved - before) / seconds : 0)}/s";
    }
}
