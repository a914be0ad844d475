namespace Post.Quic.Interop.Tests.Foreign;

/// <summary>Requests of ours to a foreign server on one connection, in the protocol that it speaks.</summary>
internal interface IConversation
{
    /// <summary>Asks for an answer of so many bytes, and checks it as far as the peer lets it be checked.</summary>
    Task AskAsync(int size, CancellationToken cancellationToken);
}
