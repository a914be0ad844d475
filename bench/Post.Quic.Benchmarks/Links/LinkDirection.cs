using System.Diagnostics;

namespace Post.Quic.Benchmarks.Links;

/// <summary>A thread that carries packets one way through a <see cref="DelayLine"/>.</summary>
internal abstract class LinkDirection
{
    private const int LongestSleep = 20;
    private const int Batch = 64;

    private readonly DelayLine _line;
    private readonly Thread _thread;
    private volatile bool _isStopped;

    protected LinkDirection(DelayLine line, string name)
    {
        _line = line;
        _thread = new Thread(Run) { IsBackground = true, Name = name };
    }

    public void Start() => _thread.Start();

    /// <summary>Ends the thread; what is under way is lost.</summary>
    public void Stop()
    {
        _isStopped = true;
        _thread.Join();
    }

    /// <summary>Waits until there is something to read.</summary>
    protected abstract bool WaitToRead(int milliseconds);

    /// <summary>Reads a packet without waiting; 0 when there is none.</summary>
    protected abstract int Read(Span<byte> packet);

    protected abstract void Write(ReadOnlySpan<byte> packet);

    private void Run()
    {
        byte[] buffer = new byte[64 * 1024];
        while (!_isStopped)
        {
            bool isReadable = WaitToRead(_line.MillisecondsToNext(Stopwatch.GetTimestamp(), LongestSleep));
            for (int i = 0; isReadable && i < Batch; i++, isReadable = i < Batch && WaitToRead(0))
            {
                int length = Read(buffer);
                if (length > 0)
                {
                    _line.Offer(buffer.AsSpan(0, length), Stopwatch.GetTimestamp());
                }
            }

            while (_line.TryTake(Stopwatch.GetTimestamp(), out ReadOnlySpan<byte> packet))
            {
                Write(packet);
            }
        }
    }
}
