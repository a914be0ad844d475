using Post.Quic.Engine.Bounds;
using Post.Quic.Engine.InFlight;

namespace Post.Quic.Engine.Connection;

/// <summary>
/// The frames of the packet that was built last, in the clear, for the other paths that they are to go by as well. Whichever copy
/// arrives first settles them; that the others arrive, too, tells nothing new.
/// </summary>
internal sealed class PacketCopies
{
    private readonly uint[] _used = new uint[Limits.MaxPaths];
    private byte[] _payload = [];
    private SentFrame[] _frames = [];
    private int _length;
    private int _frameCount;
    private int _usedCount;

    /// <summary>Copies that are still to be sent.</summary>
    public int Left { get; private set; }

    /// <summary>The last frame ends with its packet, so that nothing may follow it.</summary>
    public bool IsFull { get; private set; }

    public ReadOnlySpan<byte> Payload => _payload.AsSpan(0, _length);

    public ReadOnlySpan<SentFrame> Frames => _frames.AsSpan(0, _frameCount);

    /// <summary>
    /// Takes what a packet holds before it is protected. One that speaks of the connection or of a path goes once: not all of its frames
    /// may be said twice.
    /// </summary>
    /// <param name="payload">Its frames.</param>
    /// <param name="isFull">See <see cref="IsFull"/>.</param>
    /// <param name="log">Where they are recorded, as those of the packet that is being built.</param>
    /// <param name="path">The path that it goes by.</param>
    /// <param name="copies">On how many paths it goes, that one included.</param>
    public void Take(ReadOnlySpan<byte> payload, bool isFull, SentFrameLog log, Path path, int copies)
    {
        Left = 0;
        _frameCount = log.PendingCount;
        if (_frames.Length < _frameCount)
        {
            _frames = new SentFrame[Math.Max(_frameCount, 2 * _frames.Length)];
        }

        log.CopyPending(_frames);
        bool anyData = false;
        foreach (ref readonly SentFrame frame in Frames)
        {
            if (frame.Kind is not (SentFrameKind.Stream or SentFrameKind.Datagram or SentFrameKind.Ack or SentFrameKind.Ping))
            {
                return;
            }

            anyData |= frame.Kind is SentFrameKind.Stream or SentFrameKind.Datagram;
        }

        if (!anyData)
        {
            return;
        }

        if (_payload.Length < payload.Length)
        {
            _payload = new byte[payload.Length];
        }

        payload.CopyTo(_payload);
        _length = payload.Length;
        IsFull = isFull;
        Left = copies - 1;
        _used[0] = path.Id;
        _usedCount = 1;
    }

    /// <summary>The frames went by this path already.</summary>
    public bool WentBy(Path path) => _used.AsSpan(0, _usedCount).Contains(path.Id);

    public void OnSent(Path path)
    {
        _used[_usedCount++] = path.Id;
        Left = _usedCount < _used.Length ? Left - 1 : 0;
    }

    /// <summary>No other path takes them now.</summary>
    public void GiveUp() => Left = 0;
}
