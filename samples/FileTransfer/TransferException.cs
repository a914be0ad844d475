namespace FileTransfer;

/// <summary>A transfer cannot go on; the message says why and what to do, the code is the program's.</summary>
internal sealed class TransferException(ExitCode code, string message, Exception? innerException = null)
    : IOException(message, innerException)
{
    public ExitCode Code { get; } = code;
}
