using Post.Sockets;
using Post.Sockets.Transport;

namespace FileTransfer.Commands;

/// <summary>A <see cref="AssociationFactory"/> with its transport, disposed together.</summary>
internal sealed class TransportHost(PostTransport transport) : IAsyncDisposable
{
    public AssociationFactory Host { get; } = new(transport);

    public string Engine => transport.Name;

    public ValueTask DisposeAsync() => transport.DisposeAsync();
}
