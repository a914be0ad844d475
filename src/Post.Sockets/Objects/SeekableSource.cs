using System.IO.Pipelines;

namespace Post.Sockets.Objects;

/// <summary>An object that is read from a stream that can seek: its bytes can be had again from where it began.</summary>
internal sealed class SeekableSource : PipeSource
{
    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly long _start;

    public SeekableSource(Stream stream, bool leaveOpen)
        : this(stream, leaveOpen, stream.Position, Math.Max(0, stream.Length - stream.Position))
    {
    }

    private SeekableSource(Stream stream, bool leaveOpen, long start, long length)
        : base(Read(stream), length, Math.Min(length, Outbox.LargeObject))
    {
        _stream = stream;
        _leaveOpen = leaveOpen;
        _start = start;
    }

    public override bool CanGoBack => true;

    public override void MoveTo(long offset)
    {
        // What the reader has read ahead is read again.
        _stream.Position = _start + offset;
        StartOver(Read(_stream), offset);
    }

    public override void Release(Exception? error)
    {
        base.Release(error);
        if (!_leaveOpen)
        {
            _stream.Dispose();
        }
    }

    private static PipeReader Read(Stream stream) =>
        PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: Outbox.LargeObject, leaveOpen: true));
}
