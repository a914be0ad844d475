using System.Buffers;
using Microsoft.Extensions.Logging;

namespace Post.Quic.Engine.Diagnostics;

/// <summary>
/// Takes a trace's records from the ring on the thread pool, at most one task at a time, and writes them to the stream.
/// It is started when the ring fills or when the first record has waited long enough, not for each record.
/// </summary>
internal sealed class QlogSink : IThreadPoolWorkItem
{
    private const int WriteSize = 32 * 1024;

    private readonly Stream _output;
    private readonly QlogRing _ring;
    private readonly QlogFormatter _formatter;
    private readonly ILogger _logger;
    private readonly ArrayBufferWriter<byte> _text = new(2 * WriteSize);
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _flushSync = new();
    private readonly TimeSpan _interval;
    private readonly int _threshold;
    private readonly ITimer _timer;
    private TaskCompletionSource? _flush;
    private int _armed;
    private int _running;
    private int _completing;
    private uint _finalLost;
    private bool _failed;

    public QlogSink(
        Stream output, QlogRing ring, QlogFormatter formatter, TimeSpan interval, TimeProvider time, ILogger logger)
    {
        _output = output;
        _ring = ring;
        _formatter = formatter;
        _logger = logger;
        _interval = interval;
        _threshold = ring.Capacity / 4;
        using (ExecutionContext.SuppressFlow())
        {
            _timer = time.CreateTimer(
                static state => ((QlogSink)state!).OnTimer(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Ends when all is written and the stream is disposed. It never fails: a log's failure goes to the logger.</summary>
    public Task Completion => _completion.Task;

    /// <summary>The trace has put a record into the ring.</summary>
    public void OnRecord()
    {
        if (_ring.Pending >= _threshold)
        {
            Start();
        }
        else if (Interlocked.Exchange(ref _armed, 1) == 0)
        {
            _timer.Change(_interval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>No record comes any more. Events that were lost since the last record are noted at the end.</summary>
    public void Complete(uint lost)
    {
        _finalLost = lost;
        Volatile.Write(ref _completing, 1);
        Start();
    }

    public ValueTask FlushAsync()
    {
        Task flushed;
        lock (_flushSync)
        {
            _flush ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            flushed = _flush.Task;
        }

        Start();
        return new ValueTask(Task.WhenAny(flushed, Completion));
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private void OnTimer()
    {
        Volatile.Write(ref _armed, 0);
        Start();
    }

    private void Start()
    {
        if (Interlocked.CompareExchange(ref _running, 1, 0) == 0)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private async Task RunAsync()
    {
        bool completing = Volatile.Read(ref _completing) != 0;
        TaskCompletionSource? flush;
        lock (_flushSync)
        {
            flush = _flush;
            _flush = null;
        }

        await WriteAsync(completing).ConfigureAwait(false);
        flush?.SetResult();
        if (completing)
        {
            await EndAsync().ConfigureAwait(false);
            return;
        }

        // What came while the last piece was written, with nobody to start us, is for another run.
        Interlocked.Exchange(ref _running, 0);
        if (Volatile.Read(ref _completing) != 0
            || Volatile.Read(ref _flush) is not null
            || (_ring.Pending > 0 && Volatile.Read(ref _armed) == 0))
        {
            Start();
        }
    }

    private async Task WriteAsync(bool completing)
    {
        try
        {
            bool more;
            bool written = false;
            do
            {
                more = Format();
                if (!more && completing)
                {
                    _formatter.End(_text, _finalLost);
                }

                if (_text.WrittenCount > 0 && !_failed)
                {
                    await _output.WriteAsync(_text.WrittenMemory).ConfigureAwait(false);
                    written = true;
                }

                _text.ResetWrittenCount();
            }
            while (more);

            if (written)
            {
                await _output.FlushAsync().ConfigureAwait(false);
            }
        }
        catch (Exception error)
        {
            Fail(error);
        }
    }

    /// <summary>Formats records up to the size of one write; true when more are there.</summary>
    private bool Format()
    {
        while (_text.WrittenCount < WriteSize)
        {
            if (!_ring.TryPeek(out ReadOnlySpan<byte> record))
            {
                return false;
            }

            // After a failure the ring is still emptied, so that the trace does not count losses of its own.
            if (!_failed)
            {
                _formatter.Format(record, _text);
            }

            _ring.Release();
        }

        return true;
    }

    private async Task EndAsync()
    {
        try
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
            await _output.DisposeAsync().ConfigureAwait(false);
        }
        catch (Exception error)
        {
            Fail(error);
        }

        _completion.SetResult();
    }

    private void Fail(Exception error)
    {
        if (!_failed)
        {
            _failed = true;
            EngineLog.TraceFailed(_logger, error);
        }
    }
}
