/** Says who asks, as applications of Node style learn it. */
export default (request, response) => {
  response.end(`${request.socket.remoteAddress} ${request.connection.remoteAddress}`);
};
