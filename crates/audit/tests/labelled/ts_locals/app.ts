import express from "express";

const app = express();

app.use((req, res, next) => {
  req.app.locals.user = req.header("x-user"); // shared: process_attribute
  next();
});
