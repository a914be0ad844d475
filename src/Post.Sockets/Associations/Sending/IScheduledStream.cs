using Post.Sockets.Transport;

namespace Post.Sockets.Associations.Sending;

/// <summary>A stream of the application that has bytes to send. By the owner.</summary>
internal interface IScheduledStream
{
    TransportStream Stream { get; }

    /// <summary>The next chunk.</summary>
    ReadOnlyMemory<byte> Take(int limit, long now, out bool isEnd);

    /// <summary>The transport took a chunk, or did not.</summary>
    void OnWritten(in TransportWriteResult result, TransportException? error, long now);
}
