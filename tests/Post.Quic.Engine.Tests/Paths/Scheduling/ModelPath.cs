using Post.Quic.Engine.Paths.Scheduling;

namespace Post.Quic.Engine.Tests.Paths.Scheduling;

/// <summary>
/// A link with a rate, a delay and a window that fills it and a quarter more, which stands in a queue; paced and measured as a
/// connection does it.
/// </summary>
internal sealed class ModelPath(uint id, long bytesPerSecond, long oneWay)
{
    public const int Datagram = 1200;

    private readonly Queue<(long Acknowledged, long Sent, int Size)> _flight = new();
    private readonly long _window = Math.Max(10 * Datagram, bytesPerSecond * 2 * oneWay / 1_000_000 * 5 / 4);
    private long _linkFree;
    private long _paced;
    private long _roundTrip = 2 * oneWay;
    private long _variation = oneWay / 64;
    private long _inFlight;

    public long BytesPerSecond => bytesPerSecond;

    public bool IsBackup { get; set; }

    public bool IsSuspect { get; set; }

    public long Sent { get; private set; }

    /// <summary>When the next acknowledgement comes, or the pacer lets go.</summary>
    public long NextEvent(long now)
    {
        long acknowledged = _flight.Count == 0 ? long.MaxValue : _flight.Peek().Acknowledged;
        return _paced > now ? Math.Min(acknowledged, _paced) : acknowledged;
    }

    public PathView View(long now)
    {
        bool fits = _inFlight + Datagram <= _window;
        bool canSend = fits && now >= _paced;
        return new PathView
        {
            PathId = id,
            CanSend = canSend,
            ReadyAt = canSend ? now : fits ? _paced : _flight.Peek().Sent + _roundTrip,
            RoundTrip = _roundTrip,
            OneWay = _roundTrip / 2,
            RoundTripVariation = _variation,
            BytesInFlight = _inFlight,
            Window = _window,
            Rate = bytesPerSecond,
            DatagramSize = Datagram,
            IsBackup = IsBackup,
            IsSuspect = IsSuspect,
        };
    }

    /// <summary>Sends a datagram; returns when it is there.</summary>
    public long Send(int size, long now)
    {
        _linkFree = Math.Max(_linkFree, now) + (size * 1_000_000L / bytesPerSecond);
        long there = _linkFree + oneWay;
        _paced = Math.Max(_paced, now - Burst) + (size * 1_000_000L * 4 / 5 / bytesPerSecond);
        _flight.Enqueue((there + oneWay, now, size));
        _inFlight += size;
        Sent += size;
        return there;
    }

    public void RunTo(long now)
    {
        while (_flight.Count != 0 && _flight.Peek().Acknowledged <= now)
        {
            (long acknowledged, long sent, int size) = _flight.Dequeue();
            _inFlight -= size;
            long sample = acknowledged - sent;
            _variation = ((3 * _variation) + Math.Abs(sample - _roundTrip)) / 4;
            _roundTrip = ((7 * _roundTrip) + sample) / 8;
        }
    }

    /// <summary>How long the link takes for what the pacer lets out at once after a pause.</summary>
    private long Burst => 10 * Datagram * 1_000_000L / bytesPerSecond;
}
