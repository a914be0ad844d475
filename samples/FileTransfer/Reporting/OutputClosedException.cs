namespace FileTransfer.Reporting;

/// <summary>Whoever read our output has gone, as head does: the program ends. No file system's exception, so nobody takes it for one.</summary>
internal sealed class OutputClosedException : Exception
{
    public OutputClosedException()
        : base("The reader of the output has closed it.")
    {
    }
}
